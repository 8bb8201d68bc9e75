namespace Espalier;

/// <summary>What ranks the visual tokens when some of them have to go. The highest scores stay; of equal scores, the lower index stays.</summary>
public enum TokenScore
{
    /// <summary>The softmax attention that the last prompt row pays to each visual token in the layer before the boundary, averaged over the heads
    /// (FastV, arXiv 2403.06764). Costs one query row, not the attention map.</summary>
    LastQueryAttention,

    /// <summary>The softmax attention that the text rows behind the image pay to each visual token in the layer before the boundary, averaged over these rows and the heads.
    /// Costs as many query rows, not the attention map.</summary>
    TextAttention,
}

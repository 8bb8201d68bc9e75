namespace Espalier;

/// <summary>What leaves in the second round of <see cref="SparsityMeetsSimilarityAttribute"/>, inside the decoder.</summary>
public enum SecondRound
{
    /// <summary>There is no second round.</summary>
    None,

    /// <summary>Visual tokens that the text attends to less than on average.</summary>
    Visual,

    /// <summary>Text tokens behind the image by the same rule too, but never the last one. What stands before the image, BOS and system text among it, always stays.</summary>
    VisualAndText,
}

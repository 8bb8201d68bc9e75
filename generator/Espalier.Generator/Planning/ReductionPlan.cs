namespace Espalier.Planning;

/// <summary>How a run of decoder layers treats the visual rows in prefill.</summary>
public enum LayerMode
{
    /// <summary>Visual and text rows pass the whole layer.</summary>
    Dense,

    /// <summary>Visual rows are read by attention but not updated (ShortV, arXiv 2504.00502, section 3).</summary>
    Frozen,
}

/// <summary>A run of decoder layers with one mode and one count of visual tokens. Layers are zero-based, both ends inclusive.</summary>
/// <param name="FirstLayer">First layer of the run.</param>
/// <param name="LastLayer">Last layer of the run.</param>
/// <param name="Mode">What happens to the visual rows.</param>
/// <param name="VisualTokens">Visual rows in these layers; 0 after an exit.</param>
public sealed record Segment(int FirstLayer, int LastLayer, LayerMode Mode, int VisualTokens)
{
    /// <summary>Layers in the run.</summary>
    public int Layers => LastLayer - FirstLayer + 1;
}

/// <summary>What ranks the visual tokens of a step.</summary>
public enum Score
{
    /// <summary>Nothing: all tokens share one fate.</summary>
    None,

    /// <summary>Softmax attention that the last prompt row pays to each visual row, mean over heads (FastV, arXiv 2403.06764).</summary>
    LastQueryAttention,

    /// <summary>A scorer of the user's own.</summary>
    Custom,
}

/// <summary>What a step does with the visual tokens that it does not keep.</summary>
public enum Compress
{
    /// <summary>They leave the sequence.</summary>
    Drop,
}

/// <summary>One reduction at one site: after decoder layer <paramref name="AfterLayer"/>, the visual rows shrink from <paramref name="TokensBefore"/> to <paramref name="TokensAfter"/>.</summary>
/// <param name="AfterLayer">The layer behind which the step runs; -1 is before the first layer.</param>
/// <param name="Score">What ranks the tokens.</param>
/// <param name="Compress">What happens to the rest.</param>
/// <param name="TokensBefore">Visual rows before the step.</param>
/// <param name="TokensAfter">Visual rows after the step; 0 is an exit.</param>
/// <param name="Declaration">The policy as it was declared, for example <c>FastV(K = 2, R = 0.5)</c>.</param>
/// <param name="ScorerType">Full name of the user's scorer if <paramref name="Score"/> is <see cref="Score.Custom"/>, else null.</param>
public sealed record Step(
    int AfterLayer,
    Score Score,
    Compress Compress,
    int TokensBefore,
    int TokensAfter,
    string Declaration,
    string? ScorerType = null)
{
    /// <summary>True if all visual rows leave.</summary>
    public bool IsExit => TokensAfter == 0;
}

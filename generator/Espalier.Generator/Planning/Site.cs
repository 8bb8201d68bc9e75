namespace Espalier.Planning;

/// <summary>Where a step reduces the visual tokens.</summary>
public enum Site
{
    /// <summary>Behind a decoder layer.</summary>
    DecoderBoundary,

    /// <summary>Inside a decoder layer, behind the attention and before the feed-forward layer.</summary>
    InsideLayer,

    /// <summary>Inside layers of the vision tower, behind the attention and before the feed-forward layer.</summary>
    InsideTower,

    /// <summary>At the output of the vision tower, before the projector.</summary>
    VisionOutput,

    /// <summary>Behind the projector, before the decoder.</summary>
    Projected,
}

/// <summary>The tower layers whose attention a step adds up: one score a patch. Zero-based, both ends inclusive.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="FirstLayer">First layer of the sum.</param>
/// <param name="LastLayer">Last layer of the sum.</param>
/// <param name="Attention">Whose attention it is. Only that of the CLS token, head by head, is added up over layers.</param>
public sealed record TowerScores(int FirstLayer, int LastLayer, TowerAttention Attention = TowerAttention.Cls);

/// <summary>Whose softmax attention scores the patches: always over all rows, and without the CLS column.</summary>
public enum TowerAttention
{
    /// <summary>The CLS token's, mean over heads; keys come out as the mean over heads, of the layer whose output the features are.</summary>
    Cls,

    /// <summary>The CLS token's, with queries and keys over their full width as if there were one head (PruMerge, arXiv 2403.15388); keys come out in full width, of the same layer. The layer may lie behind the features.</summary>
    FullWidthCls,

    /// <summary>That of all rows, mean over rows and heads. A tower without CLS token has it too.</summary>
    Received,
}

/// <summary>The function of the runtime that picks the tokens of a step: <c>Espalier.{Name}.Select</c>. It takes its inputs, its numbers, scratch if it needs some, and
/// <c>kept</c> or, for a merge, the <c>RowMerge</c>, in this order. Where the image says how many tokens stay, it returns their number.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Name">The class of the function, which is named as the method.</param>
/// <param name="Scratch">Floats of scratch that it takes; 0 if it takes none.</param>
/// <param name="Arguments">Its numbers, in the order of its parameters.</param>
/// <param name="Inputs">What it reads, if that is not what its site hands out: <c>ClsAttention</c> and <c>Keys</c> at the output of the tower, <c>Projected</c> behind the projector.</param>
/// <param name="Counting">Where a step recycles and the plan does not know how many tokens stay as they are: the function <c>Espalier.{Name}.Count</c>, which says it before the selection. It takes
/// its inputs, the tokens that are there and its numbers. Else null.</param>
public sealed record Kernel(string Name, int Scratch, EquatableArray<KernelArgument> Arguments, KernelInputs Inputs = KernelInputs.OfSite, Kernel? Counting = null)
{
    /// <summary>The argument of a name; null if the kernel has none.</summary>
    /// <param name="argument">The parameter.</param>
    public KernelArgument? Find(string argument)
    {
        foreach (KernelArgument candidate in Arguments)
        {
            if (string.Equals(candidate.Name, argument, System.StringComparison.Ordinal))
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>True if the kernel or what counts for it reads something.</summary>
    /// <param name="inputs">What it reads.</param>
    public bool Reads(KernelInputs inputs) => (Inputs & inputs) != 0 || Counting?.Reads(inputs) == true;
}

/// <summary>A number that a kernel takes.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Name">The parameter.</param>
/// <param name="Value">The number; an integer if the parameter is one.</param>
/// <param name="Member">The member of an enumeration of the namespace <c>Espalier</c> that it takes in place of a number, for example <c>FastVRows.Mean</c>; else null.</param>
public sealed record KernelArgument(string Name, double Value, string? Member = null);

/// <summary>What a kernel reads, in the order of its parameters.</summary>
[System.Flags]
public enum KernelInputs
{
    /// <summary>What the site on the vision side hands out.</summary>
    OfSite = 0,

    /// <summary>The step's scores, one a visual token.</summary>
    Scores = 1,

    /// <summary>The hidden rows of the visual tokens.</summary>
    Rows = 2,

    /// <summary>What the tower emits, row by row, its CLS row first.</summary>
    Features = 4,

    /// <summary>The CLS token's attention to the patches.</summary>
    ClsAttention = 8,

    /// <summary>The projected tokens, and their number.</summary>
    Projected = 16,

    /// <summary>How relevant each visual token is to the text behind the image.</summary>
    TextRelevance = 32,

    /// <summary>The attention of the layer that the step lies in, as a whole: products before the softmax.</summary>
    Map = 64,

    /// <summary>The keys of the patches, of the layer and in the width that the step's scores say.</summary>
    Keys = 128,

    /// <summary>The cosine of each visual token, projected, with the mean embedding of the text behind the image.</summary>
    TextScores = 256,

    /// <summary>The rank of the raters' attention to the visual tokens, mean over heads.</summary>
    RaterRank = 512,

    /// <summary>The raters' attention to the visual tokens, head by head.</summary>
    RaterAttention = 1024,

    /// <summary>The key norms of the text rows behind the image, in the layer before.</summary>
    TextKeyNorms = 2048,

    /// <summary>All rows of the pass behind the model's final norm.</summary>
    NormedRows = 4096,

    /// <summary>As <see cref="Map"/>, but the softmax of the products over all rows of the sequence.</summary>
    SoftmaxMap = 8192,
}

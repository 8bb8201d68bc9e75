using System.Numerics.Tensors;

namespace Espalier.Tests.Declared;

/// <summary>Throws where it is told to on this thread, else ranks as <see cref="NormScorer"/> does.</summary>
public readonly struct ThrowingScorer : ITokenScorer
{
    [ThreadStatic]
    private static Exception? _error;

    /// <summary>What it throws on this thread; null for nothing.</summary>
    public static Exception? Error
    {
        get => _error;
        set => _error = value;
    }

    /// <inheritdoc/>
    public static void Score(in TokenScoreContext context, Span<float> scores)
    {
        scores.Fill(float.NaN);
        if (Error is not null)
        {
            throw Error;
        }

        NormScorer.Score(context, scores);
    }
}

/// <summary>Writes no numbers for the first half of the rows, and lengths for the others.</summary>
public readonly struct HalfNaNScorer : ITokenScorer
{
    /// <inheritdoc/>
    public static void Score(in TokenScoreContext context, Span<float> scores)
    {
        NormScorer.Score(context, scores);
        scores[..(context.Count / 2)].Fill(float.NaN);
    }
}

/// <summary>Writes no numbers at all.</summary>
public readonly struct NaNScorer : ITokenScorer
{
    /// <inheritdoc/>
    public static void Score(in TokenScoreContext context, Span<float> scores) => scores.Fill(float.NaN);
}

/// <summary>Writes the last five rows' scores alone.</summary>
public readonly struct LastFiveScorer : ITokenScorer
{
    /// <inheritdoc/>
    public static void Score(in TokenScoreContext context, Span<float> scores)
    {
        for (int i = context.Count - 5; i < context.Count; i++)
        {
            scores[i] = 1 + TensorPrimitives.Norm(context.Row(i));
        }
    }
}

/// <summary>Writes infinities: the even rows stay before the odd ones.</summary>
public readonly struct InfiniteScorer : ITokenScorer
{
    /// <inheritdoc/>
    public static void Score(in TokenScoreContext context, Span<float> scores)
    {
        for (int i = 0; i < context.Count; i++)
        {
            scores[i] = i % 2 == 0 ? float.PositiveInfinity : float.NegativeInfinity;
        }
    }
}

[VisionLanguageModel("clip-llama")]
[PruneVisual<ThrowingScorer>(AfterLayer = 2, Keep = 12)]
public sealed partial class ClipLlamaThrowing;

[VisionLanguageModel("clip-llama")]
[MergeVisual<ThrowingScorer>(AfterLayer = 2, Keep = 12)]
public sealed partial class ClipLlamaMergeThrowing;

[VisionLanguageModel("clip-llama")]
[PruneVisual<HalfNaNScorer>(AfterLayer = 2, Keep = 20)]
public sealed partial class ClipLlamaHalfNaN;

[VisionLanguageModel("clip-llama")]
[PruneVisual<NaNScorer>(AfterLayer = 2, Keep = 7)]
public sealed partial class ClipLlamaNaN;

[VisionLanguageModel("clip-llama")]
[MergeVisual<NaNScorer>(AfterLayer = 2, Keep = 7)]
public sealed partial class ClipLlamaMergeNaN;

[VisionLanguageModel("clip-llama")]
[PruneVisual<LastFiveScorer>(AfterLayer = -1, Keep = 7)]
public sealed partial class ClipLlamaLastFive;

[VisionLanguageModel("clip-llama")]
[PruneVisual<InfiniteScorer>(AfterLayer = 2, Keep = 20)]
public sealed partial class ClipLlamaInfinite;

[VisionLanguageModel("clip-llama")]
[PruneVisual<NormScorer>(AfterLayer = 2, Keep = 1)]
public sealed partial class ClipLlamaNormOne;

[VisionLanguageModel("clip-llama")]
[MergeVisual<NormScorer>(AfterLayer = 2, Keep = 1)]
public sealed partial class ClipLlamaMergeOne;

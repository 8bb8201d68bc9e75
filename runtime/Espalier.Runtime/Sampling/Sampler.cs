using System.Numerics.Tensors;

namespace Espalier;

/// <summary>Chooses tokens from logits: greedy, or by temperature and nucleus with a seeded generator.</summary>
/// <remarks>Not thread-safe; one a running answer. Allocates its scratch once, nothing per token.</remarks>
internal sealed class Sampler
{
    private readonly float[] _probabilities;
    private readonly int[] _ids;
    private readonly int _never;
    private SplitMix64 _random;

    /// <summary>A sampler for one vocabulary.</summary>
    /// <param name="vocabulary">Number of logits.</param>
    /// <param name="never">A token that is never chosen: the one that stands for an image, which no text can hold. -1 if there is none.</param>
    public Sampler(int vocabulary, int never = -1)
    {
        _never = never < vocabulary ? never : -1;
        _probabilities = new float[vocabulary];
        _ids = new int[vocabulary];
    }

    /// <summary>Restarts the random sequence.</summary>
    /// <param name="seed">Any number.</param>
    public void Seed(ulong seed) => _random = new SplitMix64(seed);

    /// <summary>The next token.</summary>
    /// <param name="logits">One logit a token of the vocabulary.</param>
    /// <param name="options">Temperature and nucleus.</param>
    /// <returns>A token id.</returns>
    /// <exception cref="NonFiniteLogitsException">The highest logit is infinite, or one is no number.</exception>
    public int Next(ReadOnlySpan<float> logits, AnswerOptions options)
    {
        return options.Temperature == 0f ? MostLikely(logits) : Sample(logits, options.Temperature, options.TopP);
    }

    /// <summary>The most likely token; ties go to the lower id.</summary>
    internal static int Greedy(ReadOnlySpan<float> logits) => TensorPrimitives.IndexOfMax(logits);

    private int MostLikely(ReadOnlySpan<float> logits)
    {
        // What is no number is found as the largest.
        int best = Greedy(logits);
        if (!float.IsFinite(logits[best]))
        {
            throw new NonFiniteLogitsException();
        }

        if (best != _never)
        {
            return best;
        }

        // The better of the best below and the best above it; a tie goes to the lower id here too.
        int below = Greedy(logits[.._never]);
        int above = Greedy(logits[(_never + 1)..]);
        above += above < 0 ? 0 : _never + 1;
        return above < 0 || (below >= 0 && logits[below] >= logits[above]) ? below : above;
    }

    private int Sample(ReadOnlySpan<float> logits, float temperature, float topP)
    {
        Span<float> probabilities = _probabilities.AsSpan(0, logits.Length);
        logits.CopyTo(probabilities);
        if (_never >= 0)
        {
            // Before the maximum is taken: it must be that of a token that can be chosen, or all others may underflow.
            probabilities[_never] = float.NegativeInfinity;
        }

        float largest = TensorPrimitives.Max(probabilities);
        if (!float.IsFinite(largest))
        {
            throw new NonFiniteLogitsException();
        }

        TensorPrimitives.Subtract(probabilities, largest, probabilities);
        TensorPrimitives.Divide(probabilities, temperature, probabilities);

        TensorPrimitives.SoftMax(probabilities, probabilities);

        int count = DropUnlikely(probabilities, topP);
        probabilities = probabilities[..count];
        Span<int> ids = _ids.AsSpan(0, count);
        bool isWhole = topP == 1f;
        if (!isWhole)
        {
            // Descending by sorting the negatives: Sort(keys, items) allocates nothing on CoreCLR and NativeAOT, a comparison does.
            TensorPrimitives.Negate(probabilities, probabilities);
            probabilities.Sort(ids);
            OrderTies(probabilities, ids);
            TensorPrimitives.Negate(probabilities, probabilities);
        }

        double kept = 0;
        count = 0;
        while (count < ids.Length && (isWhole || count == 0 || kept < topP))
        {
            kept += probabilities[count++];
        }

        double target = _random.NextUnit() * kept;
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += probabilities[i];
            if (target < sum)
            {
                return ids[i];
            }
        }

        return ids[count - 1];
    }

    // Tokens this unlikely are in no nucleus, since all of them together weigh less than it leaves out; without them a large
    // vocabulary need not be sorted whole, which would take as long as a third of a decode step.
    private int DropUnlikely(Span<float> probabilities, float topP)
    {
        // Half of the bound, because the probabilities sum to 1 only up to rounding.
        float bound = 0.5f * (1f - topP) / probabilities.Length;
        int count = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            // Not the other comparison: what is not a number stays.
            float probability = probabilities[i];
            if (!(probability <= bound))
            {
                probabilities[count] = probability;
                _ids[count++] = i;
            }
        }

        return count;
    }

    // The sort is not stable: runs of equal probability are put in the order of their ids.
    private static void OrderTies(Span<float> sorted, Span<int> ids)
    {
        int start = 0;
        for (int i = 1; i <= sorted.Length; i++)
        {
            if (i == sorted.Length || sorted[i] != sorted[start])
            {
                if (i - start > 1)
                {
                    ids[start..i].Sort(sorted[start..i]);
                }

                start = i;
            }
        }
    }
}

using System.Numerics.Tensors;

namespace Espalier;

/// <summary>FiCoCo's first stage, filter (arXiv 2411.17686, section 3.2): how redundant each visual token is, and which ones leave.</summary>
/// <remarks>Shared by FiCoCo-V and FiCoCo-L. Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe.</remarks>
internal static class RedundancyFilter
{
    /// <summary>Turns likeness into redundancy: <c>weight · likeness − (1 − weight) · information</c>, in place. The weight is the paper's λ or β.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Combine(Span<float> likeness, ReadOnlySpan<float> information, double weight)
    {
        if (likeness.Length != information.Length)
        {
            throw new ArgumentException($"{likeness.Length} tokens have {information.Length} pieces of information.", nameof(information));
        }

        for (int i = 0; i < likeness.Length; i++)
        {
            likeness[i] = ((float)weight * likeness[i]) - ((float)(1 - weight) * information[i]);
        }
    }

    /// <summary>Divides by the Euclidean length, as the authors' code does with both terms of FiCoCo-V; zeros stay.</summary>
    public static void Normalise(Span<float> values)
    {
        float norm = TensorPrimitives.Norm<float>(values);
        if (norm > 0)
        {
            TensorPrimitives.Divide(values, norm, values);
        }
    }

    /// <summary>The most redundant tokens leave: fills <see cref="RowMerge.Absorbed"/> and <see cref="RowMerge.Kept"/>, both in the order of the tokens.</summary>
    /// <param name="redundancy">One number a token; destroyed.</param>
    /// <param name="merge">Its lengths say how many leave and how many stay.</param>
    /// <exception cref="ArgumentException">The merge is of another number of tokens.</exception>
    public static void Split(Span<float> redundancy, RowMerge merge)
    {
        if (redundancy.Length != merge.Rows)
        {
            throw new ArgumentException($"A merge of {merge.Rows} rows does not fit {redundancy.Length} tokens.", nameof(merge));
        }

        TokenSelection.TopK(redundancy, merge.Absorbed);
        int leaving = 0;
        int staying = 0;
        for (int token = 0; token < redundancy.Length; token++)
        {
            if (leaving < merge.Absorbed.Length && merge.Absorbed[leaving] == token)
            {
                leaving++;
            }
            else
            {
                merge.Kept[staying++] = token;
            }
        }
    }
}

using System.Numerics.Tensors;

namespace Espalier;

/// <summary>How close rows are to a text: the cosine of each with one vector.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation. Thread-safe.</remarks>
internal static class TextCosines
{
    /// <summary>One cosine a row; 0 where one of the two has no length.</summary>
    /// <param name="text">The vector.</param>
    /// <param name="rows">As many rows as there are cosines, each as wide as the vector.</param>
    /// <param name="cosines">Receives them.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Of(ReadOnlySpan<float> text, ReadOnlySpan<float> rows, Span<float> cosines)
    {
        if (rows.Length != (long)cosines.Length * text.Length)
        {
            throw new ArgumentException($"{rows.Length} elements are not {cosines.Length} rows of {text.Length}.", nameof(rows));
        }

        float norm = TensorPrimitives.Norm(text);
        for (int row = 0; row < cosines.Length; row++)
        {
            ReadOnlySpan<float> one = rows.Slice(row * text.Length, text.Length);
            float product = norm * TensorPrimitives.Norm(one);
            cosines[row] = product > 0 ? TensorPrimitives.Dot(text, one) / product : 0;
        }
    }
}

using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Espalier;

/// <summary>DART (Wen et al., arXiv 2502.11494): pivots stay, and those visual tokens that duplicate none of them.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/Dart.md.</remarks>
public static class Dart
{
    /// <summary>Chooses the tokens that stay.</summary>
    /// <remarks>Pivots come in the order of their norms, those of the image first. Each adds as many of the tokens that are not taken as its share says, those with the lowest cosine to it. Where there is less text
    /// than text pivots, the pivots go round again until the count is reached.</remarks>
    /// <param name="imageNorms">The key norm of each visual token.</param>
    /// <param name="textNorms">The key norm of each text row behind the image.</param>
    /// <param name="rows">The rows behind the final norm: the visual tokens first, the text rows last.</param>
    /// <param name="width">Elements of a row.</param>
    /// <param name="imagePivots">Visual pivots.</param>
    /// <param name="textPivots">Text pivots.</param>
    /// <param name="share">The share of the visual tokens that pivots add, 1 - R.</param>
    /// <param name="scratch">Two floats a visual token, and one a pivot.</param>
    /// <param name="kept">Receives the indices, ascending.</param>
    /// <returns>How many stay.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static int Select(
        ReadOnlySpan<float> imageNorms, ReadOnlySpan<float> textNorms, ReadOnlySpan<float> rows, int width, int imagePivots, int textPivots, double share, Span<float> scratch, Span<int> kept)
    {
        int tokens = imageNorms.Length;
        if (tokens == 0 || width <= 0 || imagePivots <= 0 || textPivots < 0 || rows.Length % width != 0 || rows.Length / width < (long)tokens + textNorms.Length
            || scratch.Length < (2L * tokens) + imagePivots + textPivots)
        {
            throw new ArgumentException($"{imagePivots} and {textPivots} pivots cannot be chosen of {tokens} and {textNorms.Length} rows with {rows.Length} elements and {scratch.Length} floats of scratch.", nameof(rows));
        }

        int each = (int)(tokens * share / (imagePivots + textPivots));
        int count = Math.Min(tokens, imagePivots + (each * (imagePivots + textPivots)));
        if (kept.Length < count)
        {
            throw new ArgumentException($"There is room for {kept.Length} of {count} tokens.", nameof(kept));
        }

        Span<float> lengths = scratch[..tokens];
        Span<float> cosines = scratch.Slice(tokens, tokens);
        Span<int> pivots = MemoryMarshal.Cast<float, int>(scratch.Slice(2 * tokens, Math.Min(imagePivots, tokens) + Math.Min(textPivots, textNorms.Length)));
        int images = Math.Min(imagePivots, tokens);
        Largest(imageNorms, pivots[..images]);
        Largest(textNorms, pivots[images..]);
        int firstText = (rows.Length / width) - textNorms.Length;
        foreach (ref int pivot in pivots[images..])
        {
            pivot += firstText;
        }

        for (int token = 0; token < tokens; token++)
        {
            lengths[token] = TensorPrimitives.Norm(rows.Slice(token * width, width));
        }

        // A token that is taken has the length -1.
        foreach (int pivot in pivots[..images])
        {
            lengths[pivot] = -1;
        }

        int taken = images;
        for (int turn = 0; taken < count; turn++)
        {
            Compare(rows, width, pivots[turn % pivots.Length], lengths, cosines);
            for (int added = 0; added < each && taken < count; added++, taken++)
            {
                int farthest = TensorPrimitives.IndexOfMin<float>(cosines);
                lengths[farthest] = -1;
                cosines[farthest] = float.PositiveInfinity;
            }
        }

        int next = 0;
        for (int token = 0; token < tokens; token++)
        {
            if (lengths[token] < 0)
            {
                kept[next++] = token;
            }
        }

        return count;
    }

    /// <summary>The cosine of each token that is not taken with a pivot, the largest number where it is none; infinity for the others. The length of the pivot scales all of them alike, so it is left out.</summary>
    private static void Compare(ReadOnlySpan<float> rows, int width, int pivot, ReadOnlySpan<float> lengths, Span<float> cosines)
    {
        ReadOnlySpan<float> row = rows.Slice(pivot * width, width);
        for (int token = 0; token < lengths.Length; token++)
        {
            float length = lengths[token];
            float cosine = length == 0 ? 0 : TensorPrimitives.Dot(row, rows.Slice(token * width, width)) / length;
            cosines[token] = length < 0 ? float.PositiveInfinity : float.IsFinite(cosine) ? cosine : float.MaxValue;
        }
    }

    /// <summary>The largest norms by falling norm; of equal ones the lower index comes first, and what is no number last.</summary>
    private static void Largest(ReadOnlySpan<float> norms, Span<int> chosen)
    {
        for (int i = 0; i < chosen.Length; i++)
        {
            int best = -1;
            for (int index = 0; index < norms.Length; index++)
            {
                // CompareTo, unlike the operators, puts what is no number below every number.
                int toLast = i == 0 ? -1 : norms[index].CompareTo(norms[chosen[i - 1]]);
                bool isLeft = toLast < 0 || (toLast == 0 && index > chosen[i - 1]);
                best = isLeft && (best < 0 || norms[index].CompareTo(norms[best]) > 0) ? index : best;
            }

            chosen[i] = best;
        }
    }
}

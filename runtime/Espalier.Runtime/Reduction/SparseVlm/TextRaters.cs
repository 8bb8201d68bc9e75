using System.Numerics.Tensors;

namespace Espalier;

/// <summary>SparseVLM (Zhang et al., arXiv 2410.04417), section 3.2: the raters, those tokens of the text behind the image that resemble the image.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation. Thread-safe. Definition and deviations: generator/docs/methods/SparseVlm.md.</remarks>
public static class TextRaters
{
    /// <summary>Chooses the raters: text tokens whose relevance is above the mean of all. Where none is, all are raters.</summary>
    /// <remarks>The relevance of a text token is its share of the softmax over the text of the plain product with a visual token, mean over the visual tokens.</remarks>
    /// <param name="visual">The visual tokens as they enter the decoder, row by row.</param>
    /// <param name="text">The text tokens behind the image as they enter the decoder, row by row.</param>
    /// <param name="width">Elements of a token.</param>
    /// <param name="scratch">At least two floats a text token.</param>
    /// <param name="raters">Receives the raters, ascending; at least one element a text token.</param>
    /// <returns>How many there are.</returns>
    /// <exception cref="ArgumentException">There is no token on one side, or the lengths do not fit each other.</exception>
    public static int Select(ReadOnlySpan<float> visual, ReadOnlySpan<float> text, int width, Span<float> scratch, Span<int> raters)
    {
        if (width <= 0 || visual.IsEmpty || text.IsEmpty || visual.Length % width != 0 || text.Length % width != 0 || scratch.Length < 2 * (text.Length / width) || raters.Length < text.Length / width)
        {
            throw new ArgumentException($"Raters cannot be chosen among {text.Length} text elements of width {width} for {visual.Length} visual ones, with {scratch.Length} floats of scratch and room for {raters.Length}.", nameof(text));
        }

        int tokens = text.Length / width;
        Span<float> relevance = scratch[..tokens];
        Relevance(visual, text, width, scratch.Slice(tokens, tokens), relevance);
        float mean = TensorPrimitives.Sum<float>(relevance) / tokens;
        int count = 0;
        for (int token = 0; token < tokens; token++)
        {
            if (relevance[token] > mean)
            {
                raters[count++] = token;
            }
        }

        if (count == 0)
        {
            for (int token = 0; token < tokens; token++)
            {
                raters[count++] = token;
            }
        }

        return count;
    }

    /// <summary>The relevance of each text token.</summary>
    /// <param name="visual">The visual tokens, row by row.</param>
    /// <param name="text">The text tokens, row by row.</param>
    /// <param name="width">Elements of a token.</param>
    /// <param name="shares">As many floats as text tokens, overwritten.</param>
    /// <param name="relevance">Receives one number a text token; they add up to one.</param>
    internal static void Relevance(ReadOnlySpan<float> visual, ReadOnlySpan<float> text, int width, Span<float> shares, Span<float> relevance)
    {
        relevance.Clear();
        int visualTokens = visual.Length / width;
        for (int image = 0; image < visualTokens; image++)
        {
            ReadOnlySpan<float> row = visual.Slice(image * width, width);
            for (int token = 0; token < shares.Length; token++)
            {
                shares[token] = TensorPrimitives.Dot(row, text.Slice(token * width, width));
            }

            // Plain products may be large: the highest is taken away before the exponentials.
            TensorPrimitives.Subtract(shares, TensorPrimitives.Max<float>(shares), shares);
            TensorPrimitives.Exp(shares, shares);
            TensorPrimitives.Divide(shares, TensorPrimitives.Sum<float>(shares), shares);
            TensorPrimitives.Add(relevance, shares, relevance);
        }

        TensorPrimitives.Divide(relevance, visualTokens, relevance);
    }
}

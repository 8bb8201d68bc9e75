using System.Numerics.Tensors;

namespace Espalier;

/// <summary>ToMe's bipartite soft matching (arXiv 2210.09461, section 3): the rows at even places each look for the most similar row at an odd place, and those that found the most similar one are merged.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe.</remarks>
internal static class BipartiteMatching
{
    /// <summary>Finds for every even row 2i the odd row with the highest cosine, and the order in which the even rows are merged.</summary>
    /// <param name="metric">The rows that are compared, one after the other.</param>
    /// <param name="rows">How many there are; at least 2.</param>
    /// <param name="protectFirst">True if row 0 is never merged: it comes last in the order.</param>
    /// <param name="similarities">Receives the cosine of each even row to the odd row that it found; minus infinity for a protected one, the least number for one whose cosines are none. As long as there are even rows.</param>
    /// <param name="nearest">Receives j where 2j + 1 is the odd row that was found.</param>
    /// <param name="order">Receives the even rows, i for 2i, by falling similarity.</param>
    /// <param name="lengths">Scratch, one number a row.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Match(ReadOnlySpan<float> metric, int rows, bool protectFirst, Span<float> similarities, Span<int> nearest, Span<int> order, Span<float> lengths)
    {
        int even = (rows + 1) / 2;
        if (rows < 2 || metric.Length % rows != 0 || similarities.Length != even || nearest.Length != even || order.Length != even || lengths.Length < rows)
        {
            throw new ArgumentException($"{rows} rows, {metric.Length} elements and room for {similarities.Length}, {nearest.Length} and {order.Length} even rows do not fit.", nameof(rows));
        }

        int width = metric.Length / rows;
        for (int row = 0; row < rows; row++)
        {
            lengths[row] = TensorPrimitives.Norm(metric.Slice(row * width, width));
        }

        Span<float> block = stackalloc float[RowProducts.Block];

        // A row of no number is like none, and still comes before a protected one.
        similarities.Fill(float.MinValue);
        if (protectFirst)
        {
            similarities[0] = float.NegativeInfinity;
        }

        nearest.Clear();
        for (int first = 0; first < rows / 2; first += RowProducts.Block)
        {
            Span<float> products = block[..Math.Min(RowProducts.Block, (rows / 2) - first)];
            for (int i = protectFirst ? 1 : 0; i < even; i++)
            {
                RowProducts.Multiply(metric.Slice(2 * i * width, width), metric[(((2 * first) + 1) * width)..], 2 * width, products);
                for (int j = first; j < first + products.Length; j++)
                {
                    float length = lengths[2 * i] * lengths[(2 * j) + 1];
                    float cosine = length > 0 ? products[j - first] / length : 0;
                    if (cosine > similarities[i])
                    {
                        similarities[i] = cosine;
                        nearest[i] = j;
                    }
                }
            }
        }

        Order(similarities, order);
    }

    /// <summary>Insertion keeps equal ones in their order, and sorts without an allocation.</summary>
    private static void Order(ReadOnlySpan<float> similarities, Span<int> order)
    {
        for (int i = 0; i < order.Length; i++)
        {
            int place = i;
            while (place > 0 && similarities[order[place - 1]] < similarities[i])
            {
                order[place] = order[place - 1];
                place--;
            }

            order[place] = i;
        }
    }
}

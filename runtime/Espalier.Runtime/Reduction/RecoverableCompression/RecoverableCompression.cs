using System.Numerics.Tensors;

namespace Espalier;

/// <summary>Recoverable Compression (Chen et al., arXiv 2409.01179): patches that the CLS token attends to stay, those that the text asks for are recovered, the others go into centres among them and into one more token.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/RecoverableCompression.md.</remarks>
public static class RecoverableCompression
{
    /// <summary>Floats of scratch for each patch.</summary>
    internal const int ScratchPerPatch = 7;

    // What marks a patch while the tokens are chosen.
    private const float Free = 0;
    private const float Main = 1;
    private const float Centre = 2;

    /// <summary>Chooses the tokens and writes the weights that make them of the tower's rows.</summary>
    /// <param name="clsAttention">One score a patch.</param>
    /// <param name="keys">One key a patch, row by row.</param>
    /// <param name="textScores">The cosine of each patch with the text.</param>
    /// <param name="cut">Where sorted scores are cut.</param>
    /// <param name="window">Scores in the moving average of the second difference.</param>
    /// <param name="neighbours">Patches that each centre takes in, 1 to 1000.</param>
    /// <param name="textWeight">What the relation to the text counts beside the cosine of keys.</param>
    /// <param name="scratch">Seven floats a patch.</param>
    /// <param name="kept">Receives the patch that each token stands for: those that stay in the order of the image, the centres in the same order, and -2, which stands for the rest, if there is a rest. As long as there are patches.</param>
    /// <param name="weights">All zero. A row a token, a column a row of the tower: the patches, behind the CLS row if there is one.</param>
    /// <returns>How many tokens there are, the last one included.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static int Select(
        ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, ReadOnlySpan<float> textScores, InflectionCut cut, int window, int neighbours, double textWeight, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        int patches = clsAttention.Length;
        Check(patches, keys, textScores, neighbours, scratch, kept, weights);
        Span<float> spare = scratch[..(Inflection.ScratchPerScore * patches)];
        Span<float> marks = scratch.Slice(4 * patches, patches);
        Span<float> values = scratch.Slice(5 * patches, patches);
        Span<float> inverseNorms = scratch.Slice(6 * patches, patches);

        marks.Fill(Free);
        Mark(clsAttention, Math.Max(1, Inflection.Count(clsAttention, cut, window, spare)), kept, marks);
        TensorPrimitives.Divide(textScores, MathF.Sqrt(keys.Length / patches), values);
        Mark(values, Inflection.Count(values, cut, window, spare), kept, marks);
        int main = Collect(marks, Main, kept);

        int rest = MarkCentres(clsAttention, cut, window, spare, values, kept[main..], marks);
        int count = main + Collect(marks, Centre, kept[main..]);
        WriteMain(kept[..main], weights, patches, kept.Length);
        WriteCentres(clsAttention, keys, textScores, neighbours, (float)textWeight, values, inverseNorms, marks, kept, main, count, weights);
        return rest > count - main ? WriteRest(clsAttention, marks, kept, count, weights) : count;
    }

    /// <summary>Marks the highest scores.</summary>
    private static void Mark(ReadOnlySpan<float> scores, int count, Span<int> chosen, Span<float> marks)
    {
        chosen = chosen[..count];
        TokenSelection.TopK(scores, chosen);
        foreach (int patch in chosen)
        {
            marks[patch] = Main;
        }
    }

    /// <summary>Marks the centres among the patches that do not stay.</summary>
    /// <returns>How many patches do not stay.</returns>
    private static int MarkCentres(ReadOnlySpan<float> scores, InflectionCut cut, int window, Span<float> spare, Span<float> values, Span<int> chosen, Span<float> marks)
    {
        int rest = 0;
        for (int patch = 0; patch < marks.Length; patch++)
        {
            if (marks[patch] == Free)
            {
                values[rest++] = scores[patch];
            }
        }

        if (rest == 0)
        {
            return 0;
        }

        values = values[..rest];
        chosen = chosen[..Inflection.Count(values, cut, window, spare)];
        TokenSelection.TopK(values, chosen);

        // The chosen are counted among the rest, ascending, so one walk over all patches finds them.
        int among = 0;
        int next = 0;
        for (int patch = 0; patch < marks.Length && next < chosen.Length; patch++)
        {
            if (marks[patch] == Free && among++ == chosen[next])
            {
                marks[patch] = Centre;
                next++;
            }
        }

        return rest;
    }

    private static int Collect(ReadOnlySpan<float> marks, float wanted, Span<int> kept)
    {
        int count = 0;
        for (int patch = 0; patch < marks.Length; patch++)
        {
            if (marks[patch] == wanted)
            {
                kept[count++] = patch;
            }
        }

        return count;
    }

    private static void WriteMain(ReadOnlySpan<int> main, Span<float> weights, int patches, int rows)
    {
        int columns = weights.Length / rows;
        for (int row = 0; row < main.Length; row++)
        {
            weights[(row * columns) + columns - patches + main[row]] = 1;
        }
    }

    /// <summary>Each centre is itself and, by their attention, its neighbours among the patches that do not stay.</summary>
    private static void WriteCentres(
        ReadOnlySpan<float> scores, ReadOnlySpan<float> keys, ReadOnlySpan<float> textScores, int neighbours, float textWeight,
        Span<float> values, Span<float> inverseNorms, ReadOnlySpan<float> marks, ReadOnlySpan<int> kept, int first, int end, Span<float> weights)
    {
        int patches = scores.Length;
        int columns = weights.Length / kept.Length;
        int width = keys.Length / patches;
        float textScale = textWeight / MathF.Sqrt(width);
        for (int patch = 0; patch < patches; patch++)
        {
            float norm = TensorPrimitives.Norm(keys.Slice(patch * width, width));
            inverseNorms[patch] = norm > 0 ? 1 / norm : 0;
        }

        Span<int> nearest = stackalloc int[PruMerge.MostNeighbours];
        for (int row = first; row < end; row++)
        {
            int centre = kept[row];
            ReadOnlySpan<float> key = keys.Slice(centre * width, width);
            int others = 0;
            for (int other = 0; other < patches; other++)
            {
                bool isCandidate = marks[other] != Main && other != centre;
                others += isCandidate ? 1 : 0;
                values[other] = isCandidate
                    ? (TensorPrimitives.Dot(key, keys.Slice(other * width, width)) * inverseNorms[other] * inverseNorms[centre]) + (textScale * textScores[other])
                    : float.NaN;
            }

            Span<int> taken = nearest[..Math.Min(neighbours, others)];
            TokenSelection.TopK(values, taken);
            Span<float> weight = weights.Slice((row * columns) + columns - patches, patches);
            foreach (int other in taken)
            {
                weight[other] = scores[other];
            }

            weight[centre] = 1;
        }
    }

    /// <summary>One more token is the sum, by their attention, of the patches that neither stay nor are centres.</summary>
    private static int WriteRest(ReadOnlySpan<float> scores, ReadOnlySpan<float> marks, Span<int> kept, int count, Span<float> weights)
    {
        int columns = weights.Length / kept.Length;
        Span<float> rest = weights.Slice((count * columns) + columns - scores.Length, scores.Length);
        for (int patch = 0; patch < scores.Length; patch++)
        {
            rest[patch] = marks[patch] == Free ? scores[patch] : 0;
        }

        kept[count] = PruMerge.Rest;
        return count + 1;
    }

    private static void Check(int patches, ReadOnlySpan<float> keys, ReadOnlySpan<float> textScores, int neighbours, Span<float> scratch, Span<int> kept, Span<float> weights)
    {
        int columns = kept.IsEmpty ? 0 : weights.Length / kept.Length;
        if (patches == 0 || keys.IsEmpty || keys.Length % patches != 0 || textScores.Length != patches || scratch.Length < (long)ScratchPerPatch * patches || neighbours is < 1 or > PruMerge.MostNeighbours
            || kept.Length != patches || columns - patches is not (0 or 1) || (long)columns * kept.Length != weights.Length)
        {
            throw new ArgumentException(
                $"{kept.Length} tokens of {patches} patches and {neighbours} neighbours do not fit {keys.Length} key elements, {textScores.Length} relations to the text, {scratch.Length} floats of scratch and {weights.Length} weights.", nameof(weights));
        }
    }
}

using System.Numerics.Tensors;

namespace Espalier;

/// <summary>VisionZip (Yang et al., arXiv 2412.04467): dominant tokens by CLS attention, contextual tokens by averaging the rest into evenly spaced targets.</summary>
/// <remarks>Pure arithmetic in fp32, no allocation, ties to the lower index. Thread-safe. Definition and deviations: generator/docs/methods/VisionZip.md.</remarks>
public static class VisionZip
{
    /// <summary>Chooses the tokens and writes the weights that make them of the tower's rows.</summary>
    /// <remarks>
    /// The <c>kept.Length - contextual</c> dominant tokens come first, in the order of the image, led by the CLS token if the weights have a column for it; the contextual ones follow.
    /// Of the R patches that are not dominant, those at 0, s, 2s, ... with s = max(1, R / contextual) are targets; every other one goes to the target whose key has the highest cosine.
    /// A contextual token is its target plus the mean of what was assigned to it.
    /// </remarks>
    /// <param name="clsAttention">One score a patch.</param>
    /// <param name="keys">One key a patch, row by row.</param>
    /// <param name="contextual">Contextual tokens; 0 drops the rest.</param>
    /// <param name="kept">Receives the patch that each token stands for; -1 is the CLS token.</param>
    /// <param name="weights">All zero. A row a token, a column a row of the tower: the patches, behind the CLS row if there is one.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public static void Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, int contextual, Span<int> kept, Span<float> weights)
    {
        int patches = clsAttention.Length;
        int columns = kept.IsEmpty ? 0 : weights.Length / kept.Length;
        int cls = columns - patches;
        int dominant = kept.Length - contextual;
        if (patches == 0 || keys.Length % patches != 0 || cls is not (0 or 1) || columns * kept.Length != weights.Length)
        {
            throw new ArgumentException($"{kept.Length} tokens of {patches} patches do not fit {keys.Length} key elements and {weights.Length} weights.", nameof(weights));
        }

        if (contextual < 0 || dominant < cls || kept.Length - cls > patches)
        {
            throw new ArgumentException($"{kept.Length} tokens, {contextual} of them contextual, cannot be made of {patches} patches.", nameof(kept));
        }

        Span<int> chosen = kept[cls..dominant];
        TokenSelection.TopK(clsAttention, chosen);
        if (cls == 1)
        {
            kept[0] = -1;
        }

        for (int i = 0; i < dominant; i++)
        {
            weights[(i * columns) + kept[i] + cls] = 1;
        }

        if (contextual > 0)
        {
            Merge(keys, keys.Length / patches, chosen, kept[dominant..], weights[(dominant * columns)..], cls);
        }
    }

    private static void Merge(ReadOnlySpan<float> keys, int width, ReadOnlySpan<int> dominant, Span<int> targets, Span<float> weights, int cls)
    {
        int patches = keys.Length / width;
        int columns = patches + cls;
        int step = Math.Max(1, (patches - dominant.Length) / targets.Length);
        Spread(patches, dominant, step, targets);
        int next = 0;
        for (int patch = 0; patch < patches; patch++)
        {
            if (next < dominant.Length && dominant[next] == patch)
            {
                next++;
            }
            else if (targets.IndexOf(patch) < 0)
            {
                weights[(Nearest(keys, width, patch, targets) * columns) + patch + cls] = 1;
            }
        }

        // So far every assigned patch counts one; their mean is added to the target.
        for (int i = 0; i < targets.Length; i++)
        {
            Span<float> row = weights.Slice(i * columns, columns);
            float assigned = TensorPrimitives.Sum<float>(row);
            if (assigned > 0)
            {
                TensorPrimitives.Divide(row, assigned, row);
            }

            row[targets[i] + cls] = 1;
        }
    }

    private static void Spread(int patches, ReadOnlySpan<int> dominant, int step, Span<int> targets)
    {
        int next = 0;
        int rest = 0;
        int found = 0;
        for (int patch = 0; patch < patches && found < targets.Length; patch++)
        {
            if (next < dominant.Length && dominant[next] == patch)
            {
                next++;
                continue;
            }

            if (rest++ % step == 0)
            {
                targets[found++] = patch;
            }
        }
    }

    private static int Nearest(ReadOnlySpan<float> keys, int width, int patch, ReadOnlySpan<int> targets)
    {
        ReadOnlySpan<float> key = keys.Slice(patch * width, width);
        int nearest = 0;
        float highest = float.NegativeInfinity;
        for (int i = 0; i < targets.Length; i++)
        {
            ReadOnlySpan<float> target = keys.Slice(targets[i] * width, width);

            // The length of the patch's own key scales all cosines alike, so it has no influence on the highest.
            float norm = TensorPrimitives.Norm(target);
            float similarity = norm > 0 ? TensorPrimitives.Dot(key, target) / norm : 0;
            if (similarity > highest)
            {
                highest = similarity;
                nearest = i;
            }
        }

        return nearest;
    }
}

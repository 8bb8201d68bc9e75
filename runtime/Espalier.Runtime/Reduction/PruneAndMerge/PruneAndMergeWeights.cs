using System.Globalization;
using Espalier.Planning;

namespace Espalier;

/// <summary>The static matrices of Prune and Merge: for each layer one that makes fewer rows of the patches, and one that makes patches of these rows.</summary>
internal static class PruneAndMergeWeights
{
    private const string Prefix = "prune_and_merge.layers.";

    // A row of equal 16-bit shares misses its sum by a few thousandths.
    private const double SumTolerance = 0.01;

    /// <summary>The matrix that makes rows of patches, [rows, patches]. The authors published no such file, so the names are ours.</summary>
    public static string Merge(int layer) => Name(layer, "merge");

    /// <summary>The matrix that makes patches of rows, [patches, rows]: in the file if it was learned, else the pseudo-inverse of the other.</summary>
    public static string Recover(int layer) => Name(layer, "recover");

    /// <summary>One for each patch that is in no row, else zero, [patches, 1]: never in the file.</summary>
    public static string Bypass(int layer) => Name(layer, "bypass");

    /// <summary>Finds the matrices of a plan in <c>prune-and-merge-N.safetensors</c> beside the checkpoint, and makes those that the file need not hold.</summary>
    /// <param name="checkpoint">The model.</param>
    /// <param name="merged">The layers, and their rows.</param>
    /// <param name="open">Opens a file, or hands out the one that is open.</param>
    /// <exception cref="CheckpointException">There are none, or they do not fit the model, or they are no merge.</exception>
    public static LearnedFile Find(Checkpoint checkpoint, MergedTower merged, Func<string, LearnedFile> open)
    {
        int patches = checkpoint.Geometry.Vision.Patches;
        string path = Path.Combine(checkpoint.Folder, string.Create(CultureInfo.InvariantCulture, $"prune-and-merge-{merged.Rows}.safetensors"));
        if (!File.Exists(path))
        {
            string[] files = Directory.GetFiles(checkpoint.Folder, "prune-and-merge-*.safetensors");
            Array.Sort(files, StringComparer.Ordinal);
            throw new LearnedWeightsMissingException(
                path, merged.Declaration, Merge(merged.FirstLayer) + " " + Shapes.Format([merged.Rows, patches]), files.Length == 0 ? "" : ", but there are " + string.Join(", ", files.Select(Path.GetFileName)));
        }

        LearnedFile file = open(path);
        RequireMatricesAlone(file, checkpoint.Geometry.Vision.Layers);
        foreach (int layer in merged.Layers)
        {
            float[] merge = Read(file, Merge(layer), merged.Rows, patches);
            RequireSums(file, Merge(layer), merge, patches);
            if (file.Has(Recover(layer)))
            {
                Read(file, Recover(layer), patches, merged.Rows);
            }
            else if (!file.IsDerived(Recover(layer)))
            {
                file.Derive(Recover(layer), [patches, merged.Rows], PseudoInverse.Of(merge, merged.Rows)
                    ?? throw new TensorValueException(path, Merge(layer), "has rows that depend on each other, so that patches cannot be recovered from them. Make the rows independent, or store " + Recover(layer) + " too."));
            }

            if (!file.IsDerived(Bypass(layer)))
            {
                file.Derive(Bypass(layer), [patches, 1], Outside(merge, patches));
            }
        }

        return file;
    }

    private static float[] Read(LearnedFile file, string name, int rows, int columns)
    {
        CheckpointTensor tensor = file.GetTensor(name, [rows, columns]);
        var values = new float[tensor.Elements];
        tensor.ReadFloats(0, values);
        int wrong = values.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
        return wrong < 0 ? values : throw new TensorValueException(
            file.Path, name, string.Create(CultureInfo.InvariantCulture, $"is {values[wrong]} at [{wrong / columns}, {wrong % columns}]; its elements are finite numbers. Make the matrices anew."));
    }

    private static void RequireSums(LearnedFile file, string name, float[] merge, int patches)
    {
        for (int row = 0; row < merge.Length / patches; row++)
        {
            double sum = 0;
            foreach (float share in merge.AsSpan(row * patches, patches))
            {
                sum += share;
            }

            if (Math.Abs(sum - 1) > SumTolerance)
            {
                throw new TensorValueException(file.Path, name, string.Create(CultureInfo.InvariantCulture, $"has row {row}, which sums to {sum:0.####}; each row is a weighted mean and sums to 1. Divide it by its sum."));
            }
        }
    }

    /// <summary>Which patches are in no row.</summary>
    private static float[] Outside(float[] merge, int patches)
    {
        var outside = new float[patches];
        Array.Fill(outside, 1);
        for (int i = 0; i < merge.Length; i++)
        {
            outside[i % patches] = merge[i] == 0 ? outside[i % patches] : 0;
        }

        return outside;
    }

    private static void RequireMatricesAlone(LearnedFile file, int layers)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        for (int layer = 0; layer < layers; layer++)
        {
            known.Add(Merge(layer));
            known.Add(Recover(layer));
        }

        foreach (string name in file.Names)
        {
            if (!known.Contains(name))
            {
                throw new UnexpectedTensorException(
                    file.Path, ConfigValue.Shorten(name, 200), string.Create(CultureInfo.InvariantCulture, $"the merge or the recover matrix of a tower layer of this model, {Prefix}0 to {layers - 1}"));
            }
        }
    }

    private static string Name(int layer, string matrix) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{layer}.{matrix}");
}

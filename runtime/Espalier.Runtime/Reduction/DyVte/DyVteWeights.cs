using System.Globalization;
using Espalier.Planning;

namespace Espalier;

/// <summary>What DyVTE (arXiv 2411.19628) learned: a two-layer network for each decoder layer, under the names of the authors' code.</summary>
/// <param name="Widths">The inner width of the gate behind each layer; 0 where the plan asks none.</param>
/// <param name="File">The file that holds them; null if the checkpoint itself does.</param>
internal sealed record DyVteWeights(int[] Widths, LearnedFile? File)
{
    /// <summary>The file's name, beside the checkpoint.</summary>
    public const string FileName = "dyvte.safetensors";

    private const string Prefix = "model.visual_gates_router.";
    private const int MaximumWidth = 1 << 16;

    /// <summary>The name of the first matrix behind a layer, [inner, 2 · hidden].</summary>
    public static string First(int layer) => Name(layer, 1);

    /// <summary>The name of the second matrix, [2, inner].</summary>
    public static string Second(int layer) => Name(layer, 2);

    /// <summary>Finds the gates of a plan: in the checkpoint, else in <c>dyvte.safetensors</c> beside it.</summary>
    /// <param name="checkpoint">The model.</param>
    /// <param name="gates">Where the plan asks gates.</param>
    /// <param name="open">Opens a file, or hands out the one that is open.</param>
    /// <exception cref="CheckpointException">There are none, or they do not fit the model.</exception>
    public static DyVteWeights Find(Checkpoint checkpoint, ExitGates gates, Func<string, LearnedFile> open)
    {
        LearnedFile? file = null;
        if (!checkpoint.TryGetTensor(First(gates.FirstLayer), out _))
        {
            string path = Path.Combine(checkpoint.Folder, FileName);
            if (!System.IO.File.Exists(path))
            {
                throw new LearnedWeightsMissingException(path, gates.Declaration, First(gates.FirstLayer) + " [any, " + Plain(2 * checkpoint.Geometry.Text.Hidden) + "]", others: "");
            }

            file = open(path);
            RequireGatesAlone(file, checkpoint.Geometry.Text.Layers);
        }

        var widths = new int[checkpoint.Geometry.Text.Layers];
        for (int layer = gates.FirstLayer; layer <= gates.LastLayer; layer++)
        {
            widths[layer] = Width(checkpoint, file, layer);
        }

        return new DyVteWeights(widths, file);
    }

    /// <summary>The linear layers of all gates, also of those that this plan does not ask: plans share the quantised file.</summary>
    /// <param name="checkpoint">The model that holds the gates if no file does.</param>
    public IEnumerable<(string Name, long[] Shape)> Linear(Checkpoint checkpoint) =>
        File?.Matrices ?? checkpoint.Matrices.Where(static tensor => tensor.Name.StartsWith(Prefix, StringComparison.Ordinal));

    private static int Width(Checkpoint checkpoint, LearnedFile? file, int layer)
    {
        CheckpointTensor first = default;
        bool found = file is null ? checkpoint.TryGetTensor(First(layer), out first) : file.TryGet(First(layer), out first);
        string place = file?.Path ?? checkpoint.Folder;
        if (!found)
        {
            throw new MissingTensorException(place, [First(layer)]);
        }

        long inputs = 2L * checkpoint.Geometry.Text.Hidden;
        ReadOnlySpan<long> shape = first.Shape.Span;
        long inner = shape.Length == 2 ? shape[0] : 0;
        if (inner is < 1 or > MaximumWidth || shape[1] != inputs)
        {
            throw new TensorShapeException(first.File, First(layer), [inner is < 1 or > MaximumWidth ? 2048 : inner, inputs], shape);
        }

        // Both are weights of these shapes, or the same exceptions as for any tensor say why not.
        _ = file is null ? checkpoint.GetTensor(First(layer), shape) : file.GetTensor(First(layer), shape);
        _ = file is null ? checkpoint.GetTensor(Second(layer), [2, inner]) : file.GetTensor(Second(layer), [2, inner]);
        return (int)inner;
    }

    private static void RequireGatesAlone(LearnedFile file, int layers)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        for (int layer = 0; layer < layers; layer++)
        {
            known.Add(First(layer));
            known.Add(Second(layer));
        }

        foreach (string name in file.Names)
        {
            if (!known.Contains(name))
            {
                throw new UnexpectedTensorException(file.Path, ConfigValue.Shorten(name, 200), "the gate of a decoder layer of this model, " + Prefix + "0 to " + Plain(layers - 1));
            }
        }
    }

    private static string Name(int layer, int matrix) => Prefix + Plain(layer) + ".w" + Plain(matrix) + ".weight";

    private static string Plain(int value) => value.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;
using Espalier.Planning;

namespace Espalier;

/// <summary>What Victor (arXiv 2410.14072) learned: the registers, and the tensors of decoder layers that were trained with them.</summary>
/// <param name="Rows">The registers, [M, hidden].</param>
/// <param name="File">The file that replaces tensors of the checkpoint; null if the checkpoint itself holds the registers.</param>
internal sealed record VictorWeights(float[] Rows, LearnedFile? File)
{
    /// <summary>The registers' tensor. The authors published no weights, so the name is ours.</summary>
    public const string Registers = "victor.registers";

    private const string TrainedWith = "victor.k";

    /// <summary>Finds the weights of a step that summarises: in the checkpoint, else in <c>victor-M.safetensors</c> beside it.</summary>
    /// <param name="checkpoint">The model.</param>
    /// <param name="step">The step.</param>
    /// <param name="open">Opens a file, or hands out the one that is open.</param>
    /// <exception cref="CheckpointException">There are none, or they do not fit the model or the declaration.</exception>
    public static VictorWeights Find(Checkpoint checkpoint, Step step, Func<string, LearnedFile> open)
    {
        long[] shape = [step.Registers, checkpoint.Geometry.Text.Hidden];
        if (checkpoint.TryGetTensor(Registers, out _))
        {
            return new VictorWeights(Read(checkpoint.GetTensor(Registers, shape)), File: null);
        }

        string path = Path.Combine(checkpoint.Folder, FileName(step.Registers));
        if (!System.IO.File.Exists(path))
        {
            throw new LearnedWeightsMissingException(path, step.Declaration, Registers + " " + Shapes.Format(shape), Others(checkpoint.Folder));
        }

        LearnedFile file = open(path);
        CheckpointTensor registers = file.GetTensor(Registers, shape);
        file.RequireLayersBeside(checkpoint.Geometry, new HashSet<string>(StringComparer.Ordinal) { Registers });
        string exit = (step.AfterLayer + 1).ToString(CultureInfo.InvariantCulture);
        if (file.Metadata.TryGetValue(TrainedWith, out string? trained) && trained != exit)
        {
            throw new LearnedWeightsMismatchException(path, step.Declaration, "K", ConfigValue.Shorten(trained, 20), exit);
        }

        return new VictorWeights(Read(registers), file);
    }

    /// <summary>The linear layers that the file replaces; none if it holds registers alone, or there is no file.</summary>
    public IReadOnlyList<(string Name, long[] Shape)> Linear => [.. File?.Matrices.Where(static tensor => tensor.Name != Registers) ?? []];

    private static string FileName(int registers) => string.Create(CultureInfo.InvariantCulture, $"victor-{registers}.safetensors");

    private static float[] Read(CheckpointTensor tensor)
    {
        var rows = new float[tensor.Elements];
        tensor.ReadFloats(0, rows);
        return rows;
    }

    private static string Others(string folder)
    {
        string[] files = Directory.GetFiles(folder, "victor-*.safetensors");
        Array.Sort(files, StringComparer.Ordinal);
        return files.Length == 0 ? "" : ", but there are " + string.Join(", ", files.Select(Path.GetFileName));
    }
}

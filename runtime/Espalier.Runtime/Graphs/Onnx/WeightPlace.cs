namespace Espalier.Graphs.Onnx;

/// <summary>Where a model says that a weight lies.</summary>
/// <param name="Location">The file, beside the model's; of no meaning where <paramref name="Data"/> is given.</param>
/// <param name="Offset">The first byte in that file.</param>
/// <param name="Data">The weight itself, which the model then holds; null if it lies in a file.</param>
internal readonly record struct WeightPlace(string Location, long Offset, ReadOnlyMemory<byte>? Data = null)
{
    /// <summary>Of a weight that a session is given by address: the file is never read.</summary>
    public static WeightPlace BySession { get; } = new("weights", 0);
}

using System.Text.Json;
using Espalier.Calibration;

namespace Espalier.Tests;

/// <summary>What the PyTorch reference measured on the sample model; see tests/reference/make_calibration.py.</summary>
internal static class CalibrationGoldens
{
    private static readonly JsonElement Root = Read();

    public static string Shapes { get; } = RepositoryFolder.Combine("samples", "models", "shapes");

    public static IReadOnlyList<CalibrationSample> Samples { get; } =
        [.. Root.GetProperty("samples").EnumerateArray().Select(static sample => new CalibrationSample(RepositoryFolder.Combine("samples", "images", sample.GetProperty("image").GetString()!), sample.GetProperty("question").GetString()!))];

    public static double[] Of(string name) => [.. Root.GetProperty(name).EnumerateArray().Select(static value => value.GetDouble())];

    public static void AssertClose(double[] expected, IReadOnlyList<double> actual)
    {
        Assert.Equal(expected.Length, actual.Count);
        for (int i = 0; i < expected.Length; i++)
        {
            // Logits agree within 1e-4, and a divergence is at most twice as far off, and quadratic where it is small.
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-6 + (2e-3 * expected[i]), $"layer {i}: {expected[i]} was expected, {actual[i]} was measured");
        }
    }

    /// <summary>Makes the first elements of a weight no numbers, in half precision and in single precision alike.</summary>
    public static void Spoil(string file, string nameEnds)
    {
        byte[] bytes = File.ReadAllBytes(file);
        int header = (int)BitConverter.ToInt64(bytes);
        using JsonDocument document = JsonDocument.Parse(bytes.AsMemory(8, header));
        JsonElement weight = document.RootElement.EnumerateObject().Single(tensor => tensor.Name.EndsWith(nameEnds, StringComparison.Ordinal)).Value;
        int start = 8 + header + weight.GetProperty("data_offsets")[0].GetInt32();
        bytes.AsSpan(start, 8).Fill(0x7F);
        bytes.AsSpan(start + 8, 8).Fill(0xFF);
        File.WriteAllBytes(file, bytes);
    }

    private static JsonElement Read()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(RepositoryFolder.Combine("tests", "reference", "goldens", "calibration", "shapes.json")));
        return document.RootElement.Clone();
    }
}

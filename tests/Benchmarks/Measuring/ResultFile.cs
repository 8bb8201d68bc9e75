using System.Text.Encodings.Web;
using System.Text.Json;

namespace Espalier.Benchmarks.Measuring;

/// <summary>What a benchmark wrote beside its Markdown, as far as it is drawn.</summary>
/// <param name="Title">The benchmark, the model, the precision.</param>
/// <param name="Time">When it ran, UTC.</param>
/// <param name="Machine">The processor.</param>
/// <param name="Charts">What is drawn.</param>
internal sealed record ResultFile(string Title, string Time, string Machine, IReadOnlyList<BarChart> Charts)
{
    /// <summary>How these files are written.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads a file.</summary>
    /// <exception cref="BenchmarkException">It is none of a benchmark.</exception>
    public static ResultFile Read(string path)
    {
        try
        {
            ResultFile? file = JsonSerializer.Deserialize<ResultFile>(File.ReadAllBytes(path), Json);
            if (file is { Title.Length: > 0, Charts: not null } && file.Charts.All(static chart => chart is { Title: not null, Unit: not null, Bars.Count: > 0 } && chart.Bars.All(static bar => bar?.Name is not null)))
            {
                return file;
            }
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new BenchmarkException($"{path}: this is not what a benchmark writes beside its Markdown. Name the .json file of --output.");
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Espalier.Benchmarks.Measuring;

/// <summary>What a benchmark says: printed at once, and kept for the Markdown file and for the numbers beside it.</summary>
internal sealed class Report
{
    private readonly StringBuilder _text = new();
    private readonly JsonArray _charts = [];
    private readonly JsonArray _samples = [];
    private string _title = "";

    /// <summary>Adds a paragraph.</summary>
    public void Say(string paragraph) => Add(paragraph + "\n\n");

    /// <summary>Adds a heading.</summary>
    public void Head(string heading)
    {
        _title = _title.Length == 0 ? heading : _title;
        Add($"## {heading}\n\n");
    }

    /// <summary>Adds a table.</summary>
    public void Add(MarkdownTable table) => Add(table + "\n");

    /// <summary>Adds a picture, which the command 'plot' draws.</summary>
    public void Add(BarChart chart) => _charts.Add(JsonSerializer.SerializeToNode(chart, ResultFile.Json));

    /// <summary>Keeps the time of every single run.</summary>
    public void Keep(IEnumerable<Measurement> measurements)
    {
        foreach (Measurement measurement in measurements)
        {
            _samples.Add(new JsonObject { ["name"] = measurement.Name, ["wallMs"] = Array(measurement.Wall), ["cpuMs"] = Array(measurement.Cpu) });
        }

        static JsonArray Array(double[] numbers) => [.. numbers.Select(static number => JsonValue.Create(Math.Round(number, 6)))];
    }

    /// <summary>Writes everything that was said, and beside it, as JSON, every number that it was made of.</summary>
    public void Save(string file)
    {
        File.WriteAllText(file, _text.ToString().TrimEnd('\n') + "\n");
        var root = new JsonObject
        {
            ["title"] = _title,
            ["time"] = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
            ["commit"] = Machine.Commit,
            ["machine"] = Machine.Processor,
            ["charts"] = _charts.DeepClone(),
            ["samples"] = _samples.DeepClone(),
        };
        File.WriteAllText(Path.ChangeExtension(file, ".json"), root.ToJsonString(ResultFile.Json) + "\n");
    }

    private void Add(string text)
    {
        _text.Append(text);
        Console.Write(text);
    }
}

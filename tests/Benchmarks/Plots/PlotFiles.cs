using System.Globalization;
using Espalier.Benchmarks.Measuring;

namespace Espalier.Benchmarks.Plots;

/// <summary>The charts of a result as files.</summary>
internal static class PlotFiles
{
    /// <summary>Draws every chart of a .json file, each into <c>&lt;name of the results&gt;-&lt;number of the chart&gt;.svg</c>.</summary>
    /// <returns>The charts, in order, with the names of their pictures.</returns>
    /// <exception cref="BenchmarkException">The file is none of a benchmark.</exception>
    public static IReadOnlyList<(string Picture, string Title)> Draw(string file, string folder)
    {
        ResultFile results = ResultFile.Read(file);
        var drawn = new List<(string, string)>();
        for (int i = 0; i < results.Charts.Count; i++)
        {
            string picture = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(file)}-{i + 1}.svg");
            File.WriteAllText(Path.Combine(folder, picture), BarPlot.Draw(results.Charts[i], $"{results.Title}; {results.Time} UTC, {results.Machine}."));
            drawn.Add((picture, results.Charts[i].Title));
        }

        return drawn;
    }
}

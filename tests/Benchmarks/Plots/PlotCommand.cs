using System.CommandLine;
using System.Globalization;
using Espalier.Benchmarks.Measuring;

namespace Espalier.Benchmarks.Plots;

/// <summary><c>plot</c>: pictures of what benchmarks measured.</summary>
internal static class PlotCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("results") { Description = "The .json files that benchmarks wrote beside their --output.", Arity = ArgumentArity.OneOrMore };
        var folder = new Option<string>("--output") { Description = "The folder that gets the pictures.", DefaultValueFactory = static _ => "." };
        var command = new Command("plot", "Draws the charts of results as SVG, a file each: the name of the results and the number of the chart.") { files, folder };
        command.SetAction(parsed =>
        {
            string target = parsed.GetRequiredValue(folder);
            Directory.CreateDirectory(target);
            foreach (string file in parsed.GetRequiredValue(files))
            {
                ResultFile results = ResultFile.Read(file);
                for (int i = 0; i < results.Charts.Count; i++)
                {
                    string picture = Path.Combine(target, string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(file)}-{i + 1}.svg"));
                    File.WriteAllText(picture, BarPlot.Draw(results.Charts[i], $"{results.Title}; {results.Time} UTC, {results.Machine}."));
                    Console.WriteLine($"{picture}: {results.Charts[i].Title}");
                }
            }

            return 0;
        });
        return command;
    }
}

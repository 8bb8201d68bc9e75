using System.CommandLine;

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
                foreach ((string picture, string title) in PlotFiles.Draw(file, target))
                {
                    Console.WriteLine($"{Path.Combine(target, picture)}: {title}");
                }
            }

            return 0;
        });
        return command;
    }
}

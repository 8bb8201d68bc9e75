using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;

namespace Espalier.Benchmarks.Plots;

/// <summary><c>page</c>: puts results and their pictures into a page, each between two lines that name it.</summary>
internal static partial class PageCommand
{
    public static Command Create()
    {
        var page = new Argument<string>("page") { Description = "A Markdown file with the lines <!-- result NAME --> and <!-- /result -->, between which NAME.md goes." };
        var folder = new Option<string>("--results") { Description = "The folder of the results, in which the pictures are drawn. Its path in the page is relative to the page.", Required = true };
        var command = new Command("page", "Writes results that benchmarks left in a folder, and their pictures, into a page.") { page, folder };
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(page);
            File.WriteAllText(path, Fill(path, parsed.GetRequiredValue(folder)));
            return 0;
        });
        return command;
    }

    /// <summary>The text of the page with today's results, whose pictures are drawn beside them.</summary>
    /// <exception cref="BenchmarkException">The page has no place for results, or a result that it names is not there.</exception>
    public static string Fill(string page, string results)
    {
        string text = File.ReadAllText(page);
        MatchCollection places = Place().Matches(text);
        if (places.Count == 0 || places.Count != Begin().Count(text))
        {
            throw new BenchmarkException($"{page}: each result goes between a line <!-- result NAME --> and a line <!-- /result -->; {(places.Count == 0 ? "the page has none" : "one of them is not closed")}.");
        }

        string relative = Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(page))!, results).Replace('\\', '/');
        return Place().Replace(text, place => Block(page, place.Groups["name"].Value, results, relative));
    }

    private static string Block(string page, string name, string results, string relative)
    {
        string measured = Path.Combine(results, name + ".md");
        if (!File.Exists(measured))
        {
            throw new BenchmarkException($"{page}: there is no {measured}. Measure it with --output {measured}, or take its lines out of the page.");
        }

        var block = new StringBuilder($"<!-- result {name} -->\n").Append(File.ReadAllText(measured).TrimEnd('\n')).Append('\n');
        string numbers = Path.ChangeExtension(measured, ".json");
        if (File.Exists(numbers))
        {
            foreach ((string picture, string title) in PlotFiles.Draw(numbers, results))
            {
                block.Append($"\n![{title}]({relative}/{picture})\n");
            }
        }

        return block.Append("<!-- /result -->").ToString();
    }

    [GeneratedRegex(@"^<!-- result (?<name>[a-z0-9-]+) -->\n(?:(?!<!-- result )[\s\S])*?^<!-- /result -->$", RegexOptions.Multiline)]
    private static partial Regex Place();

    [GeneratedRegex("^<!-- result ", RegexOptions.Multiline)]
    private static partial Regex Begin();
}

using System.Diagnostics;

namespace Espalier.Tests;

/// <summary>The commands of a page, run one after the other as a reader does, and what they are shown to print.</summary>
internal static class DocumentedCommands
{
    /// <summary>Runs every block of the languages <c>sh</c> and <c>console</c>; blocks of other languages show files.</summary>
    /// <param name="page">The page's name in generator/docs.</param>
    /// <param name="folder">Where the reader is; programs in its folder <c>path</c> come before all others.</param>
    /// <param name="environment">Variables to set, or to remove where the value is null.</param>
    /// <returns>How many commands there were.</returns>
    public static async Task<int> Run(string page, string folder, IReadOnlyDictionary<string, string?> environment)
    {
        int commands = 0;
        foreach ((string language, string[] lines) in Blocks(File.ReadAllLines(RepositoryFolder.Combine("generator", "docs", page))))
        {
            foreach ((string command, string[] shown) in language == "sh" ? [(string.Join('\n', lines), [])] : Console(lines))
            {
                (int code, string output) = await Bash(folder, environment, command);
                Assert.True(code == 0, $"{command}\nended with {code}:\n{output}");
                if (language == "console")
                {
                    AssertShown(command, shown, output.TrimEnd('\n').Split('\n'));
                }

                commands++;
            }
        }

        return commands;
    }

    private static IEnumerable<(string Language, string[] Lines)> Blocks(string[] page)
    {
        for (int i = 0; i < page.Length; i++)
        {
            if (page[i] is "```sh" or "```console")
            {
                int end = Array.IndexOf(page, "```", i + 1);
                yield return (page[i][3..], page[(i + 1)..end]);
                i = end;
            }
        }
    }

    private static IEnumerable<(string Command, string[] Shown)> Console(string[] lines)
    {
        for (int i = 0; i < lines.Length;)
        {
            int next = Array.FindIndex(lines, i + 1, static line => line.StartsWith("$ ", StringComparison.Ordinal));
            next = next < 0 ? lines.Length : next;
            yield return (lines[i][2..], lines[(i + 1)..next]);
            i = next;
        }
    }

    /// <summary>A line of dots stands for any lines, dots at a line's end for any rest of it.</summary>
    private static void AssertShown(string command, string[] shown, string[] printed)
    {
        int at = 0;
        for (int i = 0; i < shown.Length; i++)
        {
            string line = shown[i];
            if (line == "...")
            {
                string? next = i + 1 < shown.Length ? shown[i + 1] : null;
                at = next is null ? printed.Length : Array.FindIndex(printed, at, other => Fits(next, other));
                Assert.True(at >= 0, $"{command} does not print: {next}\nbut\n{string.Join('\n', printed)}");
            }
            else
            {
                Assert.True(at < printed.Length && Fits(line, printed[at]), $"{command} is shown to print\n{line}\nand prints\n{(at < printed.Length ? printed[at] : "no more")}");
                at++;
            }
        }

        Assert.True(at == printed.Length, $"{command} prints more than is shown: {string.Join('\n', printed[at..])}");
    }

    private static bool Fits(string shown, string printed) => shown.EndsWith("...", StringComparison.Ordinal) ? printed.StartsWith(shown[..^3], StringComparison.Ordinal) : shown == printed;

    private static async Task<(int Code, string Output)> Bash(string folder, IReadOnlyDictionary<string, string?> environment, string command)
    {
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", "exec 2>&1\n" + command]) { WorkingDirectory = folder, RedirectStandardOutput = true };
        foreach ((string name, string? value) in environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["PATH"] = Path.Combine(folder, "path") + ":" + Environment.GetEnvironmentVariable("PATH");
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }
}

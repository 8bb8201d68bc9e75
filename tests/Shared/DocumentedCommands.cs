namespace Espalier.Tests;

/// <summary>The commands of a page, run one after the other as a reader does, and what they are shown to print.</summary>
internal static class DocumentedCommands
{
    /// <summary>Runs every block of the languages <c>sh</c> and <c>console</c>; blocks of other languages show files.</summary>
    /// <param name="document">The document, from the root of the repository.</param>
    /// <param name="folder">Where the reader is; programs in its folder <c>path</c> come before all others.</param>
    /// <param name="environment">Variables to set, or to remove where the value is null.</param>
    /// <param name="isRun">Which commands are run; all if null.</param>
    /// <returns>How many commands there were.</returns>
    public static async Task<int> Run(string document, string folder, IReadOnlyDictionary<string, string?> environment, Func<string, bool>? isRun = null)
    {
        int commands = 0;
        foreach ((string language, string[] lines) in Blocks(document))
        {
            foreach ((string command, string[] shown) in language switch { "sh" => [(string.Join('\n', lines), [])], "console" => Console(lines), _ => [] })
            {
                if (isRun?.Invoke(command) == false)
                {
                    continue;
                }

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

    /// <summary>The blocks of a document that name their language.</summary>
    /// <param name="document">The document, from the root of the repository.</param>
    public static IEnumerable<(string Language, string[] Lines)> Blocks(string document)
    {
        string[] page = File.ReadAllLines(RepositoryFolder.Combine(document));
        for (int i = 0; i < page.Length; i++)
        {
            string line = page[i].TrimStart();
            if (line.StartsWith("```", StringComparison.Ordinal) && line.Length > 3)
            {
                int end = Array.FindIndex(page, i + 1, static other => other.TrimStart() == "```");
                yield return (line[3..], page[(i + 1)..end]);
                i = end;
            }
        }
    }

    /// <summary>The only block of a language, as a text.</summary>
    /// <param name="document">The document, from the root of the repository.</param>
    /// <param name="language">The language.</param>
    public static string Block(string document, string language) => string.Join('\n', Assert.Single(Blocks(document), block => block.Language == language).Lines) + "\n";

    private static IEnumerable<(string Command, string[] Shown)> Console(string[] lines)
    {
        for (int i = 0; i < lines.Length;)
        {
            int end = i;
            while (lines[end].EndsWith('\\'))
            {
                end++;
            }

            int next = Array.FindIndex(lines, end + 1, static line => line.StartsWith("$ ", StringComparison.Ordinal));
            next = next < 0 ? lines.Length : next;
            yield return (string.Join('\n', lines[i..(end + 1)])[2..], lines[(end + 1)..next]);
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
        var all = new Dictionary<string, string?>(environment);
        all["PATH"] = Path.Combine(folder, "path") + ":" + all.GetValueOrDefault("PATH", Environment.GetEnvironmentVariable("PATH"));
        ChildProcess shell = await ChildProcess.Run("bash", folder, all, "-euo", "pipefail", "-c", "exec 2>&1\n" + command);
        return (shell.ExitCode, shell.Output);
    }
}

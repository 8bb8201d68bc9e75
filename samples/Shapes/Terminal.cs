using Spectre.Console;

namespace Espalier.Samples.Shapes;

/// <summary>Where text goes: results to standard output, everything else to standard error, so that a redirected result stays clean.</summary>
internal static class Terminal
{
    /// <summary>Progress and errors.</summary>
    public static IAnsiConsole Errors { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Writes one red line.</summary>
    public static void Fail(string message)
    {
        // One line whatever the message holds; not wrapped either, since others search it.
        string line = string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        if (Console.IsErrorRedirected)
        {
            Console.Error.WriteLine(line);
        }
        else
        {
            Errors.MarkupLineInterpolated($"[red]{line}[/]");
        }
    }
}

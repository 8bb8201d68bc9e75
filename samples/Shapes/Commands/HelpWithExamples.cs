using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>The usual help, and below it command lines that can be copied.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    private const string Program = "dotnet run --project samples/Shapes -c Release --";

    /// <summary>Help is given whatever else is wrong with the command line.</summary>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        Command command = parseResult.CommandResult.Command;
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (string example in command.Subcommands.Count > 0 ? command.Subcommands.Select(sub => ExamplesOf(sub)[0]) : ExamplesOf(command))
        {
            output.WriteLine($"  {Program} {example}");
        }

        output.WriteLine();
        output.WriteLine("Exit codes: 0 done, 1 a file or the model failed, 2 wrong command line, 130 cancelled.");
        return code;
    }

    /// <summary>How a command is called from the root of the repository.</summary>
    public static string Invocation(Command command) => command is RootCommand ? Program : $"{Program} {command.Name}";

    private static IReadOnlyList<string> ExamplesOf(Command command) => command.Name switch
    {
        AskCommand.Name =>
        [
            "ask samples/images/circle.png \"what color is the circle ?\"",
            "ask samples/images/circle.png \"what color is the circle ?\" --variant quick",
            "ask samples/images/pair.png \"where is the yellow square ?\" --temperature 0.7 --top-p 0.9 --seed 1",
        ],
        CompareCommand.Name =>
        [
            "compare samples/images/circle.png \"what color is the circle ?\"",
            "compare samples/images/crosses.png \"how many crosses are there ?\" --rounds 101",
        ],
        EvaluateCommand.Name =>
        [
            "evaluate",
            "evaluate --variants fastv quick --limit 100",
            "evaluate --output report.md",
            "evaluate --output README.md",
        ],
        _ => throw new ArgumentException($"The command {command.Name} has no examples.", nameof(command)),
    };
}

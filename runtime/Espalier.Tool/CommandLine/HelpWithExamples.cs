using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Espalier.CommandLine;

/// <summary>The usual help, and below it command lines that can be copied, and the exit codes.</summary>
/// <param name="help">The usual help.</param>
/// <param name="program">How the program is called.</param>
/// <param name="exitCodes">What it returns.</param>
internal sealed class HelpWithExamples(HelpAction help, string program, string exitCodes) : SynchronousCommandLineAction
{
    /// <summary>Help is given whatever else is wrong with the command line.</summary>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        Command command = parseResult.CommandResult.Command;
        TextWriter output = parseResult.InvocationConfiguration.Output;
        IEnumerable<string> examples = command is DocumentedCommand documented
            ? documented.Examples
            : command.Subcommands.OfType<DocumentedCommand>().Select(static sub => sub.Examples[0]);
        output.WriteLine("Examples:");
        foreach (string example in examples)
        {
            output.WriteLine($"  {program} {example}");
        }

        output.WriteLine();
        output.WriteLine("Exit codes: " + exitCodes);
        return code;
    }
}

using System.CommandLine;
using Espalier.CommandLine;
using Espalier.Tool.Commands;

namespace Espalier.Tool;

/// <summary>The tool's commands.</summary>
internal static class ToolCommands
{
    /// <summary>How the tool is called.</summary>
    public const string Program = "espalier";

    /// <summary>What it returns.</summary>
    public const string ExitCodes = "0 done, 1 a file, a policy or the model failed, 2 wrong command line, 3 done with error records (batch --strict), 130 cancelled.";

    /// <summary>All commands.</summary>
    /// <param name="terminal">Where text goes.</param>
    /// <param name="input">Opens standard input.</param>
    public static RootCommand Create(Terminal terminal, Func<Stream> input) =>
        new("Plans, asks, evaluates and batches vision-language models with fewer visual tokens. Policies are C# attributes, checked by the compiler that builds them into programs.")
        {
            InspectCommand.Create(terminal),
            PlanCommand.Create(terminal),
            AskCommand.Create(terminal),
            EvaluateCommand.Create(terminal),
            CalibrateCommand.Create(terminal),
            SearchCommand.Create(terminal),
            GraphCommand.Create(terminal),
            BatchCommand.Create(terminal, input),
        };
}

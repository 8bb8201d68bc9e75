using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using Espalier.Evaluation;

namespace Espalier.CommandLine;

/// <summary>Runs a command line: errors of the user's become one line and an exit code, Ctrl+C cancels.</summary>
internal static class CommandLineProgram
{
    /// <summary>Runs the command line of this process.</summary>
    /// <param name="root">The commands.</param>
    /// <param name="program">How the program is called, for the help.</param>
    /// <param name="exitCodes">What it returns, for the help.</param>
    /// <param name="args">The arguments.</param>
    public static async Task<int> RunProcessAsync(RootCommand root, string program, string exitCodes, string[] args)
    {
        // Ctrl+C cancels, however often it is pressed: the model looks at the token before each layer, and the command still
        // has to put its partial result in order.
        using var cancellation = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        return await RunAsync(root, program, exitCodes, args, Terminal.OfProcess, cancellation.Token).ConfigureAwait(false);

        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            cancellation.Cancel();
        }
    }

    /// <inheritdoc cref="RunProcessAsync"/>
    /// <param name="root">The commands.</param>
    /// <param name="program">How the program is called, for the help.</param>
    /// <param name="exitCodes">What it returns, for the help.</param>
    /// <param name="args">The arguments.</param>
    /// <param name="terminal">Where text goes.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    public static async Task<int> RunAsync(RootCommand root, string program, string exitCodes, string[] args, Terminal terminal, CancellationToken cancellationToken)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!, program, exitCodes);
        if (args.Length == 0)
        {
            // Nobody who types the bare name knows what comes behind it.
            args = ["--help"];
        }

        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            Command command = parsed.CommandResult.Command;
            bool isUnknown = command is RootCommand && parsed.UnmatchedTokens.Count > 0;
            foreach (string message in isUnknown
                ? [$"There is no command '{parsed.UnmatchedTokens[0]}'. The commands are {string.Join(", ", root.Subcommands.Select(static known => known.Name))}."]
                : parsed.Errors.Select(static error => error.Message))
            {
                terminal.Fail(message);
            }

            terminal.Errors.WriteLine($"Try: {(command is RootCommand ? program : $"{program} {command.Name}")} --help");
            return ExitCode.Usage;
        }

        try
        {
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = terminal.Output, Error = terminal.Errors };
            return await parsed.InvokeAsync(configuration, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            terminal.Fail("cancelled");
            return ExitCode.Cancelled;
        }
        catch (DirectoryNotFoundException exception)
        {
            terminal.Fail(exception.Message + " Make the folder first, or name another file.");
            return ExitCode.Failure;
        }
        catch (Exception exception) when (exception is InputException or EspalierException or IOException or UnauthorizedAccessException)
        {
            terminal.Fail(exception.Message);
            return ExitCode.Failure;
        }
    }
}

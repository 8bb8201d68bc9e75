using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using Espalier;
using Espalier.Samples.Shapes;
using Espalier.Samples.Shapes.Commands;

var root = new RootCommand("Asks a small vision-language model about pictures of coloured shapes, with all of its visual tokens or with few of them.")
{
    AskCommand.Create(),
    CompareCommand.Create(),
    EvaluateCommand.Create(),
};
HelpOption help = root.Options.OfType<HelpOption>().Single();
help.Action = new HelpWithExamples((HelpAction)help.Action!);

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        Terminal.Fail(error.Message);
    }

    Console.Error.WriteLine($"Try: {HelpWithExamples.Invocation(parsed.CommandResult.Command)} --help");
    return ExitCode.Usage;
}

// Ctrl+C cancels, however often it is pressed: the model looks at the token before each layer, and the command still
// has to put its partial result in order.
using var cancellation = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);

try
{
    var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
    return await parsed.InvokeAsync(configuration, cancellation.Token);
}
catch (OperationCanceledException)
{
    Terminal.Fail("cancelled");
    return ExitCode.Cancelled;
}
catch (Exception exception) when (exception is CommandException or EspalierException or IOException or UnauthorizedAccessException)
{
    Terminal.Fail(exception.Message);
    return ExitCode.Failure;
}

void Cancel(PosixSignalContext signal)
{
    signal.Cancel = true;
    cancellation.Cancel();
}

using System.CommandLine;
using System.CommandLine.Help;
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

try
{
    // On Ctrl+C the token is cancelled, and the command has the timeout to put its partial result in order.
    return await parsed.InvokeAsync(new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
    });
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

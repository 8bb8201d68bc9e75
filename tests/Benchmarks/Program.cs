using System.CommandLine;
using Espalier;
using Espalier.Benchmarks;

try
{
    // On Ctrl+C the token is cancelled, and what was begun has the timeout to be cleared away.
    return await BenchmarkCommands.Create().Parse(args).InvokeAsync(new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
    });
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("cancelled");
    return 130;
}
catch (Exception exception) when (exception is EspalierException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

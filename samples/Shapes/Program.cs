using System.CommandLine;
using Espalier.CommandLine;
using Espalier.Samples.Shapes.Commands;

var root = new RootCommand("Asks a small vision-language model about pictures of coloured shapes, with all of its visual tokens or with few of them.")
{
    AskCommand.Create(),
    CompareCommand.Create(),
    EvaluateCommand.Create(),
    DeviceCommand.Create(),
};
return await CommandLineProgram.RunProcessAsync(
    root,
    "dotnet run --project samples/Shapes -c Release --",
    "0 done, 1 a file or the model failed, 2 wrong command line, 130 cancelled.",
    args);

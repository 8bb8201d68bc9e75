using Espalier.CommandLine;
using Espalier.Tool;

return await CommandLineProgram.RunProcessAsync(ToolCommands.Create(Terminal.OfProcess, Console.OpenStandardInput), ToolCommands.Program, ToolCommands.ExitCodes, args);

using System.Text;
using System.Text.Json.Nodes;
using Espalier.CommandLine;
using Espalier.Tool;

namespace Espalier.Tests;

/// <summary>What a command of the tool left, run in this process.</summary>
/// <param name="ExitCode">0 for success.</param>
/// <param name="Output">What it printed.</param>
/// <param name="Errors">What it printed to its error stream.</param>
internal sealed record ToolRun(int ExitCode, string Output, string Errors)
{
    /// <summary>The sample model.</summary>
    public static string Shapes { get; } = RepositoryFolder.Combine("samples", "models", "shapes");

    /// <summary>The output as JSON.</summary>
    public JsonNode Json => JsonNode.Parse(Output)!;

    /// <summary>Runs a command line.</summary>
    public static Task<ToolRun> Of(params string[] args) => With(null, args);

    /// <summary>Runs a command line with standard input.</summary>
    public static Task<ToolRun> With(string? input, params string[] args) => With(input, CancellationToken.None, args);

    /// <summary>Runs a command line that is cancelled before it begins.</summary>
    public static Task<ToolRun> Cancelled(params string[] args) => With(null, new CancellationToken(canceled: true), args);

    private static async Task<ToolRun> With(string? input, CancellationToken cancellationToken, string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(output, errors, isWatched: false);
        var commands = ToolCommands.Create(terminal, () => new MemoryStream(Encoding.UTF8.GetBytes(input ?? "")));
        int code = await CommandLineProgram.RunAsync(commands, ToolCommands.Program, ToolCommands.ExitCodes, args, terminal, cancellationToken);
        return new ToolRun(code, output.ToString(), errors.ToString());
    }

    /// <summary>A picture of the samples.</summary>
    public static string Picture(string name) => RepositoryFolder.Combine("samples", "images", name);
}

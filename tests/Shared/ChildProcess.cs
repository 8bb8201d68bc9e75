using System.Diagnostics;

namespace Espalier.Tests;

/// <summary>What a process left.</summary>
/// <param name="ExitCode">0 for success.</param>
/// <param name="Output">What it printed.</param>
/// <param name="Errors">What it printed to its error stream.</param>
internal sealed record ChildProcess(int ExitCode, string Output, string Errors)
{
    /// <summary>A child that hangs would hang the test run; none takes a tenth of this.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>The dotnet that runs the tests: the one that PATH names may be another, or none.</summary>
    public static string DotnetHost =>
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host
        : Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath!
        : "dotnet";

    /// <summary>Runs dotnet to its end, or kills it and whatever it started.</summary>
    /// <param name="folder">The working folder.</param>
    /// <param name="environment">Variables to set, or to remove where the value is null.</param>
    /// <param name="arguments">What follows <c>dotnet</c>.</param>
    /// <exception cref="TimeoutException">It did not end.</exception>
    public static Task<ChildProcess> RunDotnet(string folder, IReadOnlyDictionary<string, string?> environment, params string[] arguments) => Run(DotnetHost, folder, environment, arguments);

    /// <summary>As <see cref="RunDotnet(string, IReadOnlyDictionary{string, string?}, string[])"/>, of another program.</summary>
    /// <param name="program">The program, or its name on PATH.</param>
    /// <param name="folder">The working folder.</param>
    /// <param name="environment">Variables to set, or to remove where the value is null.</param>
    /// <param name="arguments">What follows the program.</param>
    public static async Task<ChildProcess> Run(string program, string folder, IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string? value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
            await Task.WhenAll(output, errors);
            await process.WaitForExitAsync(limit.Token);
            return new ChildProcess(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"'{program} {string.Join(' ', arguments)}' did not end within {Limit}.");
        }
    }

    /// <inheritdoc cref="RunDotnet(string, IReadOnlyDictionary{string, string?}, string[])"/>
    public static Task<ChildProcess> RunDotnet(string folder, params string[] arguments) => RunDotnet(folder, new Dictionary<string, string?>(), arguments);
}

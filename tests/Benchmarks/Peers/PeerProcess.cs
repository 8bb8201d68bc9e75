using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Espalier.Benchmarks.Peers;

/// <summary>What a peer's run took.</summary>
/// <param name="Wall">Milliseconds of wall time; of a step for decoding.</param>
/// <param name="Cpu">Milliseconds of CPU time of the peer's process, all threads together.</param>
/// <param name="Token">The greedy next token.</param>
internal readonly record struct PeerSample(double Wall, double Cpu, int Token);

/// <summary>An engine in a process of its own, commanded by lines of JSON; see <c>peers/protocol.mjs</c>. All engines are, ours too, so that no pool of threads spins beside another's work.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process _process;

    private PeerProcess(string name, Process process)
    {
        Name = name;
        _process = process;
    }

    /// <summary>For the tables.</summary>
    public string Name { get; }

    /// <summary>Starts an engine and waits until its model is loaded.</summary>
    /// <exception cref="BenchmarkException">It cannot be started, or ends before it is ready.</exception>
    public static PeerProcess Start(string name, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach ((string variable, string value) in environment)
        {
            start.Environment[variable] = value;
        }

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new BenchmarkException($"{name}: {program} cannot be started: {exception.Message}.");
        }

        var peer = new PeerProcess(name, process);
        try
        {
            peer.Read();
            return peer;
        }
        catch
        {
            peer.Dispose();
            throw;
        }
    }

    /// <summary>Runs a prompt from an empty cache.</summary>
    public PeerSample Prefill(int[] tokens) => Ask(new JsonObject { ["do"] = "prefill", ["tokens"] = Array(tokens) });

    /// <summary>Runs a prompt, which is not timed, and some steps behind it.</summary>
    public PeerSample Decode(int[] tokens, int steps) => Ask(new JsonObject { ["do"] = "decode", ["tokens"] = Array(tokens), ["steps"] = steps });

    /// <summary>The most memory that the process held, in bytes; 0 where the system does not tell.</summary>
    public long PeakMemory()
    {
        string file = $"/proc/{_process.Id.ToString(CultureInfo.InvariantCulture)}/status";
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
        return line is null ? 0 : long.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private static JsonArray Array(int[] tokens) => new([.. tokens.Select(static token => (JsonNode)token)]);

    private PeerSample Ask(JsonObject command)
    {
        _process.StandardInput.WriteLine(command.ToJsonString());
        _process.StandardInput.Flush();
        JsonNode answer = Read();
        return new PeerSample((double)answer["ms"]!, (double)answer["cpu"]!, (int)answer["token"]!);
    }

    private JsonNode Read()
    {
        // Libraries greet their users on standard output too.
        for (string? line = _process.StandardOutput.ReadLine(); line is not null; line = _process.StandardOutput.ReadLine())
        {
            if (line.StartsWith('{'))
            {
                try
                {
                    return JsonNode.Parse(line)!;
                }
                catch (JsonException)
                {
                    // Not ours.
                }
            }
        }

        _process.WaitForExit();
        throw new BenchmarkException($"{Name}: the process ended with {_process.ExitCode}; what it said stands above.");
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Espalier.Benchmarks.Comparisons;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.Planning;

namespace Espalier.Benchmarks.Peers;

/// <summary><c>peers</c>: the same weights and threads in llama.cpp, ONNX Runtime on one exported graph, PyTorch and Espalier, in one run.</summary>
internal static class PeerComparison
{
    private const int SuffixRows = 44;
    private const int DecodeSteps = 16;
    private const string Reduced = "drop 50 % + exit";
    private static readonly string[] Formats = ["F32", "Q8_0", "Q4_0"];
    private static readonly Precision[] Exported = [Precision.Float32, Precision.Int4];
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(400);

    public static Command CreateCommand()
    {
        var model = new Argument<string>("model") { Description = "A folder that 'synthesize' wrote from qwen2-0.5b-576." };
        var packages = new Option<string>("--packages") { Description = "A folder in which npm installed node-llama-cpp and onnxruntime-node.", Required = true };
        var work = new Option<string>("--work") { Description = "A folder for the model in the peers' formats, 5 GB; kept.", Required = true };
        var python = new Option<string>("--python") { Description = "A Python with torch and numpy.", DefaultValueFactory = static _ => "/usr/bin/python3" };
        var rounds = new Option<int>("--rounds") { Description = "Rounds that are counted, after one of warm-up.", DefaultValueFactory = static _ => 5 };
        var threads = new Option<int>("--threads") { Description = "Threads of each engine.", DefaultValueFactory = static _ => Environment.ProcessorCount };
        var output = new Option<string?>("--output") { Description = "Also write the results to this Markdown file." };
        var command = new Command("peers", "The decoder in llama.cpp, ONNX Runtime on one exported graph, PyTorch and Espalier: the same weights, prompt length and threads, an engine a process, in turns.") { model, packages, work, python, rounds, threads, output };
        command.SetAction((parsed, cancellationToken) => Task.Run(
            () => Run(
                parsed.GetRequiredValue(model),
                parsed.GetRequiredValue(packages),
                parsed.GetRequiredValue(work),
                parsed.GetValue(python)!,
                Math.Max(1, parsed.GetValue(rounds)),
                parsed.GetValue(threads),
                parsed.GetValue(output),
                cancellationToken),
            CancellationToken.None));
        return command;
    }

    private static void Run(string model, string packages, string work, string python, int rounds, int threads, string? output, CancellationToken cancellationToken)
    {
        using var checkpoint = Checkpoint.Open(model);
        ModelGeometry geometry = Suite.For(checkpoint).Dense.Plan.Geometry;
        int[] tokens = RandomInputs.Tokens(geometry, geometry.VisualTokens + SuffixRows);
        Directory.CreateDirectory(work);
        using var progress = new ProgressLine();
        var report = new Report();
        report.Head($"peers: {Path.GetFileName(Path.TrimEndingDirectorySeparator(checkpoint.Folder))}");
        report.Say(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, commit {Machine.Commit}. {Machine.Processor}, {Environment.ProcessorCount} processors, {threads} threads an engine. Load average before: {Machine.Load}."));
        int expected = OwnToken(checkpoint, geometry, tokens);

        var peers = new List<PeerProcess>();
        try
        {
            foreach ((string name, string program, string[] arguments) in Engines(checkpoint, packages, work, python, threads, geometry, progress))
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress.Show($"loading: {name}", 0);
                peers.Add(PeerProcess.Start(name, program, arguments, new Dictionary<string, string> { ["PEERS_FOLDER"] = Path.GetFullPath(packages), ["OMP_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture) }));
            }

            Measure(report, peers, tokens, expected, rounds, progress, cancellationToken);
        }
        finally
        {
            peers.ForEach(static peer => peer.Dispose());
        }

        report.Say($"{rounds} rounds after one of warm-up, engines in turn, {Pause.TotalMilliseconds:F0} ms of pause before each. Load average after: {Machine.Load}.");
        if (output is not null)
        {
            report.Save(output);
        }
    }

    private static void Measure(Report report, List<PeerProcess> peers, int[] tokens, int expected, int rounds, ProgressLine progress, CancellationToken cancellationToken)
    {
        List<PeerSample>[] prefill = [.. peers.Select(static _ => new List<PeerSample>())];
        List<PeerSample>[] decode = [.. peers.Select(static _ => new List<PeerSample>())];
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < peers.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress.Show(round == 0 ? $"warming up: {peers[i].Name}" : $"round {round} of {rounds}: {peers[i].Name}", (double)((round * peers.Count) + i) / ((rounds + 1) * peers.Count));
                Thread.Sleep(Pause);
                PeerSample prompt = peers[i].Prefill(tokens);
                PeerSample steps = peers[i].Decode(tokens, DecodeSteps);
                if (round > 0)
                {
                    prefill[i].Add(prompt);
                    decode[i].Add(steps);
                }
            }
        }

        progress.Clear();
        int fastest = Enumerable.Range(0, peers.Count).Where(i => peers[i].Name.StartsWith("llama.cpp", StringComparison.Ordinal)).MinBy(i => Median(prefill[i]));
        var table = new MarkdownTable("engine", "prefill ms", "CPU ms", "tokens/s", "llama.cpp's best / this", "quartiles", "by minima", "decode ms", "CPU ms", "tokens/s", "peak memory", "next token");
        for (int i = 0; i < peers.Count; i++)
        {
            Spread wall = Spread.Of(prefill[i].Select(static sample => sample.Wall));
            Spread step = Spread.Of(decode[i].Select(static sample => sample.Wall));
            Spread ratio = Spread.Of(prefill[fastest].Zip(prefill[i], static (other, mine) => other.Wall / mine.Wall));
            table.Add(
                peers[i].Name,
                Numbers.Times(wall),
                Numbers.Time(Spread.Of(prefill[i].Select(static sample => sample.Cpu)).Median),
                $"{1000 * tokens.Length / wall.Median:F0}",
                $"{Median(prefill[fastest]) / wall.Median:F2} x",
                $"[{ratio.LowerQuartile:F2}, {ratio.UpperQuartile:F2}]",
                $"{Least(prefill[fastest]) / Least(prefill[i]):F2} x",
                Numbers.Times(step),
                Numbers.Time(Spread.Of(decode[i].Select(static sample => sample.Cpu)).Median),
                $"{1000 / step.Median:F0}",
                Sizes.Of(peers[i].PeakMemory()),
                peers[i].Name.StartsWith("Espalier", StringComparison.Ordinal) ? "-" : prefill[i][^1].Token == expected ? "the same" : "another");
        }

        report.Say($"{tokens.Length} tokens of prompt, {DecodeSteps} decode steps behind them. Espalier runs {tokens.Length - SuffixRows} of them as the rows of a picture. Next token: whether the engine goes on after the prompt as Espalier's dense decoder in fp32 does over the same tokens.");
        report.Add(table);
        report.Add(new BarChart("Prefill", "tokens/s", [.. peers.Select((peer, i) => Bar.Of(peer.Name, Spread.Of(prefill[i].Select(sample => 1000 * tokens.Length / sample.Wall))))]));
        report.Add(new BarChart("Decode", "tokens/s", [.. peers.Select((peer, i) => Bar.Of(peer.Name, Spread.Of(decode[i].Select(static sample => 1000 / sample.Wall))))]));
    }

    private static double Least(List<PeerSample> samples) => samples.Min(static sample => sample.Wall);

    private static double Median(List<PeerSample> samples) => Spread.Of(samples.Select(static sample => sample.Wall)).Median;

    private static IEnumerable<(string Name, string Program, string[] Arguments)> Engines(Checkpoint checkpoint, string packages, string work, string python, int threads, ModelGeometry geometry, ProgressLine progress)
    {
        string scripts = Path.Combine(AppContext.BaseDirectory, "peers");
        string count = threads.ToString(CultureInfo.InvariantCulture);
        foreach (string package in (string[])["node-llama-cpp", "onnxruntime-node"])
        {
            if (!Directory.Exists(Path.Combine(packages, "node_modules", package)))
            {
                throw new BenchmarkException($"{packages}: npm has not installed {package} there. Run: npm install --ignore-scripts --prefix {packages} node-llama-cpp@3.22.1 onnxruntime-node@1.30.0");
            }
        }

        string own = Path.Combine(AppContext.BaseDirectory, "Espalier.Benchmarks.dll");
        foreach (string variant in (string[])["dense", Reduced])
        {
            foreach (Precision precision in (Precision[])[Precision.Float32, Precision.Int8, Precision.Int4, Precision.Int8PrefillInt4Decode])
            {
                yield return ($"Espalier {precision}, {variant}", Environment.ProcessPath!, [own, "peer", checkpoint.Folder, "--variant", variant, "--precision", precision.ToString(), "--threads", count]);
            }
        }

        foreach (string format in Formats)
        {
            string file = Path.Combine(work, format + ".gguf");
            Once(file, () =>
            {
                progress.Show($"writing {file}", 0);
                using Process writer = Process.Start(python, [Path.Combine(scripts, "write_gguf.py"), checkpoint.Folder, file + ".part", format]);
                writer.WaitForExit();
                if (writer.ExitCode != 0)
                {
                    throw new BenchmarkException($"{file}: writing it failed; what {python} said stands above.");
                }

                File.Move(file + ".part", file);
            });
            yield return ($"llama.cpp {format}", "node", [Path.Combine(scripts, "llama.mjs"), file, count]);
        }

        foreach (Precision precision in Exported)
        {
            string file = Path.Combine(work, precision + ".onnx");
            Once(file, () =>
            {
                progress.Show($"writing {file}", 0);
                LinearFormat format = PrecisionFormats.For(precision, Device.Cpu.Provider).Decoder;
                GraphFile.Write(checkpoint, MonolithGraph.Build(geometry.Text, checkpoint.HeadTensorName, format), new ModelOptions { Device = Device.Cpu, Precision = precision }, file);
            });
            yield return ($"ONNX Runtime, one graph, {precision}", "node", [Path.Combine(scripts, "exported.mjs"), file, checkpoint.Folder, count]);
        }

        foreach (string plan in (string[])["dense", "drop-and-exit"])
        {
            yield return ($"PyTorch eager fp32, {(plan == "dense" ? plan : Reduced)}", python, [Path.Combine(scripts, "eager.py"), checkpoint.Folder, count, plan, geometry.VisualTokens.ToString(CultureInfo.InvariantCulture)]);
        }

        static void Once(string file, Action write)
        {
            if (!File.Exists(file))
            {
                write();
            }
        }
    }

    /// <summary>Where the dense decoder goes on after the tokens, in fp32.</summary>
    private static int OwnToken(Checkpoint checkpoint, ModelGeometry geometry, int[] tokens)
    {
        ReductionPlan plan = Suite.For(checkpoint).Dense.Plan;
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            using var decoder = new LayeredDecoder(new ModelSessions(cache, plan, new ModelOptions { Device = Device.Cpu, Precision = Precision.Float32 }), plan, new EmbeddingTable(checkpoint), tokens.Length + 1);
            decoder.Prefill(tokens);
            return Sampler.Greedy(decoder.Logits);
        }
        finally
        {
            cache.Release();
        }
    }
}

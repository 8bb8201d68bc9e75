using System.CommandLine;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Planning;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>precisions</c>: what the number format of the linear layers costs and saves.</summary>
internal static class PrecisionComparison
{
    private const int Past = 600;
    private const int DecodeSteps = 16;
    private static readonly int[] PromptRows = [75, 300, 600];
    // Those of the CPU: it runs half precision for comparison at most, which is no matter of time.
    private static readonly Precision[] Precisions = [Precision.Float32, Precision.Int8, Precision.Int4, Precision.Int8PrefillInt4Decode];

    public static Command CreateCommand() => BenchmarkCommand.Create(
        "precisions",
        "The dense variant in every precision: the decoder's layers over prompts, decode steps behind 600 rows with the head, the vision tower. Ratios are to single precision. Quantised weights are made at the first run and lie beside the model.",
        defaultRounds: 9,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        ReductionPlan plan = Suite.For(run.Checkpoint).Dense.Plan;
        ModelGeometry geometry = plan.Geometry;
        int capacity = Math.Min(1024, geometry.Text.MaxPositions);
        int[] tokens = RandomInputs.Tokens(geometry, PromptRows[^1]);
        var embeddings = new EmbeddingTable(run.Checkpoint);
        SessionCache cache = run.Checkpoint.ShareSessions();
        var decoders = new List<LayeredDecoder>();
        var towers = new List<WholeTower>();
        try
        {
            foreach (Precision precision in Precisions)
            {
                var sessions = new ModelSessions(cache, plan, new ModelOptions { Device = Device.Cpu, Precision = precision, Progress = new Loading(run.Progress, precision), CancellationToken = run.Cancellation });
                decoders.Add(new LayeredDecoder(sessions, plan, embeddings, capacity));
                towers.Add(new WholeTower(sessions, scores: null));
            }

            run.Progress.Clear();
            Compare(run.Report, decoders, tokens);
            Fill(towers);

            var contenders = new List<Contender>();
            foreach (int rows in PromptRows)
            {
                AddAll($"{rows} rows", precision => decoders[precision].RunLayers, precision => () => decoders[precision].LoadRows(tokens.AsSpan(0, rows)), 1);
            }

            int position = Past;
            AddAll($"decode behind {Past}", precision => () => decoders[precision].Decode(tokens[0], position++), precision => () => decoders[precision].Truncate(position = Past), DecodeSteps);
            AddAll($"tower, {geometry.Vision.Tokens} rows", precision => towers[precision].Run, static _ => static () => { }, 1);
            run.Report.Say($"{plan.Layers} layers of {geometry.Text.Hidden} x {geometry.Text.Intermediate}, vocabulary {geometry.Text.Vocabulary}; tower of {geometry.Vision.FeatureLayers} layers of {geometry.Vision.Hidden} x {geometry.Vision.Intermediate}.");
            Tabulate(run.Report, run.Measure(contenders));

            void AddAll(string name, Func<int, Action> action, Func<int, Action> prepare, int repeats)
            {
                for (int i = 0; i < Precisions.Length; i++)
                {
                    contenders.Add(new Contender($"{name}, {Precisions[i]}", action(i), prepare(i), repeats));
                }
            }
        }
        finally
        {
            decoders.ForEach(static decoder => decoder.Dispose());
            towers.ForEach(static tower => tower.Dispose());
            cache.Release();
        }
    }

    private static void Tabulate(Report report, Measurement[] measurements)
    {
        var table = new MarkdownTable("run", "ms", "minimum", "CPU ms", "ratio", "quartiles", "of minima", "of CPU");
        for (int i = 0; i < measurements.Length; i++)
        {
            Measurement measurement = measurements[i];
            Ratio ratio = measurement.To(measurements[i / Precisions.Length * Precisions.Length]);
            table.Add(
                measurement.Name,
                Numbers.Times(measurement.WallSpread),
                Numbers.Time(measurement.WallSpread.Minimum),
                Numbers.Time(measurement.CpuSpread.Median),
                Numbers.Ratio(ratio.Wall),
                Numbers.Quartiles(ratio.Rounds),
                Numbers.Ratio(ratio.Minimum),
                Numbers.Ratio(ratio.Cpu));
        }

        report.Add(table);
        for (int i = 0; i < measurements.Length; i += Precisions.Length)
        {
            string run = measurements[i].Name.Split(", " + Precisions[0])[0];
            report.Add(new BarChart(run, "ms", [.. measurements.Skip(i).Take(Precisions.Length).Select(static measurement => Bar.Of(measurement.Name, measurement.WallSpread))]));
        }
    }

    /// <summary>Fills the caches behind which decode steps run, and says how far the logits of the precisions lie apart.</summary>
    private static void Compare(Report report, List<LayeredDecoder> decoders, int[] tokens)
    {
        decoders.ForEach(decoder => decoder.Prefill(tokens.AsSpan(0, Past)));
        float[] single = decoders[0].Logits.ToArray();
        for (int i = 1; i < decoders.Count; i++)
        {
            double error = 0;
            double size = 0;
            for (int token = 0; token < single.Length; token++)
            {
                error += Math.Pow(decoders[i].Logits[token] - single[token], 2);
                size += Math.Pow(single[token], 2);
            }

            report.Say($"Logits behind {Past} rows of random weights, error of {Precisions[i]} relative to single precision: {Math.Sqrt(error / size):F3}.");
        }
    }

    private static void Fill(List<WholeTower> towers)
    {
        var random = new Random(1);
        for (int pixel = 0; pixel < towers[0].PixelCount; pixel++)
        {
            float value = (float)((random.NextDouble() * 4) - 2);
            towers.ForEach(tower => tower.Pixels[pixel] = value);
        }
    }

    /// <summary>Shows what loading does on the line of progress.</summary>
    private sealed class Loading(ProgressLine line, Precision precision) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => line.Show(
            $"{precision}: {(value.Stage == LoadStage.QuantiseWeights ? "weight" : "session")} {value.Done} of {value.Total}",
            (double)value.Done / value.Total);
    }
}

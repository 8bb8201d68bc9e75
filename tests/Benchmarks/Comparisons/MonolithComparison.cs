using System.CommandLine;
using System.Numerics.Tensors;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Planning;
using Espalier.Tests;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>monolith</c>: what cutting the decoder into sessions costs.</summary>
internal static class MonolithComparison
{
    private const double Target = 1.03;
    private const int Past = 600;
    private const int DecodeSteps = 16;
    private static readonly int[] PromptRows = [75, 300, 620];

    public static Command CreateCommand() => BenchmarkCommand.Create(
        "monolith",
        "The dense decoder as a session a layer against one session over the same graphs, weights and KV capacity: prompts, and decode steps behind 600 rows. Ratios are per-layer / monolith.",
        defaultRounds: 9,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        ReductionPlan plan = Suite.For(run.Checkpoint).Dense.Plan;
        TextGeometry text = plan.Geometry.Text;
        int capacity = Math.Min(1024, text.MaxPositions);
        int[] tokens = RandomInputs.Tokens(plan.Geometry, PromptRows[^1]);
        var embeddings = new EmbeddingTable(run.Checkpoint);

        SessionCache cache = run.Checkpoint.ShareSessions();
        try
        {
            using var layered = new LayeredDecoder(new ModelSessions(cache, plan, run.Options), plan, embeddings, capacity);
            using var monolith = new MonolithDecoder(cache, run.Formats.Decoder, text, run.Checkpoint.HeadTensorName, embeddings, capacity);
            run.Report.Say($"{text.Layers} layers of {text.Hidden} x {text.Intermediate}, vocabulary {text.Vocabulary}, capacity {capacity}. Logits, largest difference between the two: {Difference(layered, monolith, tokens):G3}.");

            var contenders = new List<Contender>();
            foreach (int rows in PromptRows)
            {
                contenders.Add(new("per layer", () => layered.Prefill(tokens.AsSpan(0, rows))));
                contenders.Add(new("monolith", () => monolith.Prefill(tokens.AsSpan(0, rows))));
            }

            int position = Past;
            contenders.Add(new("per layer", () => layered.Decode(tokens[0], position++), () => layered.Truncate(position = Past), DecodeSteps));
            contenders.Add(new("monolith", () => monolith.Append(tokens[0]), () => monolith.Truncate(Past), DecodeSteps));
            Tabulate(run.Report, run.Measure(contenders));
        }
        finally
        {
            cache.Release();
        }
    }

    private static void Tabulate(Report report, Measurement[] measurements)
    {
        var table = new MarkdownTable("run", "per layer, ms", "monolith, ms", "CPU ms", "CPU ms", "ratio", "quartiles", "of minima", "of CPU", "target");
        for (int i = 0; i < measurements.Length; i += 2)
        {
            (Measurement layered, Measurement monolith) = (measurements[i], measurements[i + 1]);
            Ratio ratio = layered.To(monolith);
            table.Add(
                i / 2 < PromptRows.Length ? $"prefill, {PromptRows[i / 2]} rows" : $"decode behind {Past}",
                Numbers.Times(layered.WallSpread),
                Numbers.Times(monolith.WallSpread),
                Numbers.Time(layered.CpuSpread.Median),
                Numbers.Time(monolith.CpuSpread.Median),
                Numbers.Ratio(ratio.Wall),
                Numbers.Quartiles(ratio.Rounds),
                Numbers.Ratio(ratio.Minimum),
                Numbers.Ratio(ratio.Cpu),
                $"{Target:F2}");
        }

        report.Add(table);
        report.Add(new BarChart("A session a layer and one session", "ms", [.. measurements.Select(static measurement => Bar.Of(measurement.Name, measurement.WallSpread))]));
    }

    /// <summary>Runs both over the same tokens and leaves both with <see cref="Past"/> rows and more.</summary>
    private static float Difference(LayeredDecoder layered, MonolithDecoder monolith, int[] tokens)
    {
        float largest = 0;
        var difference = new float[layered.Logits.Length];
        foreach (int rows in PromptRows)
        {
            layered.Prefill(tokens.AsSpan(0, rows));
            monolith.Prefill(tokens.AsSpan(0, rows));
            Compare(layered.Logits, monolith.Logits);
        }

        layered.Truncate(Past);
        monolith.Truncate(Past);
        for (int i = 0; i < DecodeSteps; i++)
        {
            layered.Decode(tokens[i], Past + i);
            monolith.Append(tokens[i]);
            Compare(layered.Logits, monolith.Logits);
        }

        return largest;

        void Compare(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
        {
            TensorPrimitives.Subtract(one, other, difference);
            largest = Math.Max(largest, Math.Abs(TensorPrimitives.MaxMagnitude<float>(difference)));
        }
    }
}

using System.CommandLine;
using System.Diagnostics;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>memory</c>: what a second variant and the other kinds of layer add.</summary>
internal static class MemoryComparison
{
    private const int SuffixRows = 44;

    public static Command CreateCommand() => BenchmarkCommand.Create(
        "memory",
        "Private memory of the process after a dense variant, a second variant with every reduction, and every kind of every layer; relative to the matrices of one variant at the precision, which are what the kernels pack.",
        defaultRounds: 0,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        Suite suite = Suite.For(run.Checkpoint);
        ModelGeometry geometry = suite.Dense.Plan.Geometry;
        long packed = LinearBytes(run.Checkpoint, run.Formats);
        _ = OrtEnvironment.Shared;
        var table = new MarkdownTable("loaded", "seconds", "private", "more than before", "resident", "of the packed size of one");
        long start = Stopwatch.GetTimestamp();
        var before = ProcessMemory.Measure();
        long last = before.Anonymous;
        Add("nothing, files mapped");

        using VisionLanguageModel dense = suite.Dense.Load(run.Checkpoint, run.Options);
        Add("dense variant");
        using VisionLanguageModel reduced = suite.Variants[^1].Load(run.Checkpoint, run.Options);
        Add($"and the variant '{suite.Variants[^1].Name}'");

        SessionCache cache = run.Checkpoint.ShareSessions();
        try
        {
            foreach (LayerKind kind in Enum.GetValues<LayerKind>().Where(static kind => !kind.IsPartial()))
            {
                for (int layer = 0; layer < geometry.Text.Layers; layer++)
                {
                    run.Cancellation.ThrowIfCancellationRequested();
                    run.Progress.Show($"{kind}, layer {layer}", (double)(((int)kind * geometry.Text.Layers) + layer) / (4 * geometry.Text.Layers));
                    _ = cache.Get(new SessionKey(Device.Cpu.Provider, ModelPart.DecoderLayer, run.Formats.Decoder, layer, kind));
                }
            }

            run.Progress.Clear();
            Add("and all kinds of all layers");

            int capacity = geometry.VisualTokens + SuffixRows + 64;
            using Sequence denseSequence = dense.CreateSequence(capacity);
            using Sequence reducedSequence = reduced.CreateSequence(capacity);
            Run(dense, denseSequence);
            Run(reduced, reducedSequence);
            Add("and a sequence of each, after a prompt");
            run.Report.Say($"Packed size of one: {Sizes.Of(packed)}. KV caches of the two sequences: {Sizes.Of(denseSequence.KeyValueBytes)} and {Sizes.Of(reducedSequence.KeyValueBytes)}.");
            run.Report.Add(table);
        }
        finally
        {
            cache.Release();
        }

        void Add(string loaded)
        {
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            var now = ProcessMemory.Measure();
            double share = Math.Max(0, now.Anonymous - before.Anonymous) / (double)packed;
            table.Add(loaded, $"{took.TotalSeconds:F2}", Sizes.Of(now.Anonymous), Sizes.Of(Math.Max(0, now.Anonymous - last)), Sizes.Of(now.Resident), Numbers.Ratio(share));
            last = now.Anonymous;
            start = Stopwatch.GetTimestamp();
        }
    }

    private static void Run(VisionLanguageModel model, Sequence sequence)
    {
        ModelGeometry geometry = model.LoadedPlan.Geometry;
        model.Prefill(sequence, [], RandomInputs.Pixels(geometry), RandomInputs.Tokens(geometry, SuffixRows));
        model.Decode(sequence, Sampler.Greedy(sequence.Logits));
    }

    /// <summary>The matrices of the graphs of a dense model: what the CPU kernels pack.</summary>
    private static long LinearBytes(Checkpoint checkpoint, PrecisionFormats formats)
    {
        ModelGeometry geometry = checkpoint.Geometry;
        List<GraphModel> graphs =
        [
            VisionGraph.Build(geometry.Vision, formats.Vision),
            ProjectorGraph.Build(geometry, formats.Vision),
            HeadGraph.Build(geometry.Text, checkpoint.HeadTensorName, formats.Decode),
        ];
        for (int layer = 0; layer < geometry.Text.Layers; layer++)
        {
            graphs.Add(DecoderLayerGraph.Build(geometry.Text, layer, LayerKind.Dense, formats.Decoder));
            if (formats.Decode != formats.Decoder)
            {
                graphs.Add(DecoderLayerGraph.Build(geometry.Text, layer, LayerKind.Dense, formats.Decode));
            }
        }

        return graphs.SelectMany(static graph => graph.Weights).Where(static weight => IsMatrix(weight)).Sum(static weight => weight.ByteCount);
    }

    private static bool IsMatrix(WeightUse weight) =>
        weight.Shape.Length is 2 or 3
        && weight.Name is not (DerivedWeights.RopeCos or DerivedWeights.RopeSin)
        && !weight.Name.EndsWith("position_embedding.weight", StringComparison.Ordinal);
}

using System.CommandLine;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Planning;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>reductions</c>: how much of the operations that a plan saves is saved in time.</summary>
internal static class ReductionComparison
{
    private const int SuffixRows = 44;

    public static Command CreateCommand() => BenchmarkCommand.Create(
        "reductions",
        "Prefill of the declared variants by their compiled loops, from embedded rows to logits: layers, scores, selection, moved rows and head. The theory is the saving of the operations that the loops run: convention C, and of the last layer one row, in the dense model too.",
        defaultRounds: 9,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        Suite suite = Suite.For(run.Checkpoint);
        ModelGeometry geometry = suite.Dense.Plan.Geometry;
        float[] pixels = RandomInputs.Pixels(geometry);
        int[] suffix = RandomInputs.Tokens(geometry, SuffixRows);
        var prompts = new List<Prompt>();
        try
        {
            foreach (Variant variant in suite.Variants)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                run.Progress.Show($"loading: {variant.Name}", (double)prompts.Count / suite.Variants.Count);
                prompts.Add(new Prompt(run.Checkpoint, run.Options, variant, pixels, suffix));
            }

            Measurement[] measurements = run.Measure([.. prompts.Select(static prompt => new Contender(prompt.Variant.Name, prompt.Run, prompt.Load))]);
            run.Report.Say($"{geometry.VisualTokens} visual and {SuffixRows} suffix rows, no prefix; {geometry.Text.Layers} layers of {geometry.Text.Hidden} x {geometry.Text.Intermediate}.");
            Tabulate(run.Report, suite, measurements);
        }
        finally
        {
            foreach (Prompt prompt in prompts)
            {
                prompt.Dispose();
            }
        }
    }

    private static void Tabulate(Report report, Suite suite, Measurement[] measurements)
    {
        var table = new MarkdownTable("variant", "ms", "CPU ms", "GFLOPs", "theory", "realised", "by CPU", "realised / theory", "quartiles", "by minima", "by CPU");
        var bars = new List<Bar>();
        double dense = suite.Dense.Plan.DenseExecutedFlops(FlopsConvention.C, SuffixRows);
        for (int i = 0; i < measurements.Length; i++)
        {
            double flops = suite.Variants[i].Plan.ExecutedFlops(FlopsConvention.C, SuffixRows);
            double theory = dense / flops;
            Ratio ratio = measurements[0].To(measurements[i]);
            bars.Add(new Bar(measurements[i].Name, ratio.Wall, ratio.Rounds.LowerQuartile, ratio.Rounds.UpperQuartile, theory));
            table.Add(
                measurements[i].Name,
                Numbers.Times(measurements[i].WallSpread),
                Numbers.Time(measurements[i].CpuSpread.Median),
                $"{flops / 1e9:F1}",
                $"{theory:F2} x",
                $"{ratio.Wall:F2} x",
                $"{ratio.Cpu:F2} x",
                Numbers.Ratio(ratio.Wall / theory),
                $"[{ratio.Rounds.LowerQuartile / theory:F3}, {ratio.Rounds.UpperQuartile / theory:F3}]",
                Numbers.Ratio(ratio.Minimum / theory),
                Numbers.Ratio(ratio.Cpu / theory));
        }

        report.Add(table);
        report.Add(new BarChart("Prefill, times as fast as the dense variant", "x", bars));
    }

    /// <summary>One variant with its image, ready to run its prompt again and again.</summary>
    private sealed class Prompt : IDisposable
    {
        private readonly VisionLanguageModel _model;
        private readonly Sequence _sequence;
        private readonly EmbeddingTable _embeddings;
        private readonly int[] _suffix;

        public Prompt(Checkpoint checkpoint, ModelOptions options, Variant variant, float[] pixels, int[] suffix)
        {
            Variant = variant;
            _suffix = suffix;
            _embeddings = new EmbeddingTable(checkpoint);
            _model = variant.Load(checkpoint, options);
            _sequence = _model.CreateSequence(variant.Plan.Geometry.VisualTokens + suffix.Length + 1);
            _model.Prefill(_sequence, [], pixels, suffix);
        }

        public Variant Variant { get; }

        /// <summary>An image is loaded once; so it is encoded again, as a class encodes it that reduces nothing before the decoder.</summary>
        public void Load()
        {
            _sequence.Image.Begin(CancellationToken.None);
            _sequence.Image.RunTower();
            _sequence.Image.Project();
            _sequence.Pass.LoadPrompt(_sequence.Image, _embeddings, prefix: [], _suffix, CancellationToken.None);
        }

        public void Run() => ((ICompiledLoop)_model).Run(_sequence.Pass);

        public void Dispose()
        {
            _sequence.Dispose();
            _model.Dispose();
        }
    }
}

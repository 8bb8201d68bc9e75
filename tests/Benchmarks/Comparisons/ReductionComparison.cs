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
        "Prefill of the declared variants by their compiled loops, from embedded rows to logits: layers, scores, selection, moved rows and head. The theory is the saving of the operations that the loops run: convention C, and of the last layer one row, in the dense model too. Where classes reduce inside the tower, a second table begins at the pixels: tower, selection, projector and the same prefill.",
        defaultRounds: 9,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        Suite suite = Suite.For(run.Checkpoint);
        ModelGeometry geometry = suite.Dense.Plan.Geometry;
        float[] pixels = RandomInputs.Pixels(geometry);
        int[] suffix = RandomInputs.Tokens(geometry, SuffixRows);
        IReadOnlyList<Variant> inDecoder =
        [
            .. suite.Variants,
            .. suite.Summary is { } summary ? [summary] : Array.Empty<Variant>(),
            .. run.Options.Precision == Precision.Float32 ? suite.Partial : [],
        ];
        if (inDecoder.Count == 1)
        {
            inDecoder = [];
        }

        var prompts = new List<Prompt>();
        try
        {
            Load(inDecoder, fromPixels: false);
            Load(suite.InTower.Count == 0 ? [] : [suite.Dense, .. suite.InTower], fromPixels: true);
            run.Progress.Clear();
            Measurement[] measurements = run.Measure([.. prompts.Select(static prompt => new Contender(prompt.Name, prompt.Run, prompt.Begin))]);
            run.Report.Say($"{geometry.VisualTokens} visual and {SuffixRows} suffix rows, no prefix; {geometry.Text.Layers} layers of {geometry.Text.Hidden} x {geometry.Text.Intermediate}.");
            if (inDecoder.Count > 0)
            {
                Tabulate(run.Report, "Prefill, times as fast as the dense variant", prompts[..inDecoder.Count], measurements.AsSpan(0, inDecoder.Count));
            }

            if (suite.InTower.Count > 0)
            {
                run.Report.Say($"From the pixels, through a tower of {geometry.Vision.FeatureLayers} layers of {geometry.Vision.Hidden} x {geometry.Vision.Intermediate} over {geometry.Vision.Tokens} rows. The theory counts tower and decoder.");
                Tabulate(run.Report, "Pixels to logits, times as fast as the dense variant", prompts[inDecoder.Count..], measurements.AsSpan(inDecoder.Count));
            }
        }
        finally
        {
            foreach (Prompt prompt in prompts)
            {
                prompt.Dispose();
            }
        }

        void Load(IReadOnlyList<Variant> variants, bool fromPixels)
        {
            foreach (Variant variant in variants)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                run.Progress.Show($"loading: {variant.Name}", (double)prompts.Count / (inDecoder.Count + suite.InTower.Count + 1));
                prompts.Add(new Prompt(run.Checkpoint, run.Options, variant, fromPixels, pixels, suffix));
            }
        }
    }

    private static void Tabulate(Report report, string chart, List<Prompt> prompts, ReadOnlySpan<Measurement> measurements)
    {
        var table = new MarkdownTable("variant", "ms", "CPU ms", "GFLOPs", "theory", "realised", "by CPU", "realised / theory", "quartiles", "by minima", "by CPU");
        var bars = new List<Bar>();
        for (int i = 0; i < measurements.Length; i++)
        {
            double flops = prompts[i].Flops;
            double theory = prompts[0].Flops / flops;
            Ratio ratio = measurements[0].To(measurements[i]);
            bars.Add(new Bar(prompts[i].Variant.Name, ratio.Wall, ratio.Rounds.LowerQuartile, ratio.Rounds.UpperQuartile, theory));
            table.Add(
                prompts[i].Variant.Name,
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
        report.Add(new BarChart(chart, "x", bars));
    }

    /// <summary>One variant with its image, ready to run its prompt again and again.</summary>
    private sealed class Prompt : IDisposable
    {
        private readonly VisionLanguageModel _model;
        private readonly Sequence _sequence;
        private readonly EmbeddingTable _embeddings;
        private readonly int[] _suffix;
        private readonly bool _fromPixels;

        public Prompt(Checkpoint checkpoint, ModelOptions options, Variant variant, bool fromPixels, float[] pixels, int[] suffix)
        {
            Variant = variant;
            _suffix = suffix;
            _fromPixels = fromPixels;
            _embeddings = new EmbeddingTable(checkpoint);
            _model = variant.Load(checkpoint, options);
            _sequence = _model.CreateSequence(variant.Plan.ImagePositions + suffix.Length + 1);
            if (_model.Prefill(_sequence, [], pixels, suffix) != StepResult.Ready)
            {
                throw new BenchmarkException($"The prompt of {Name} does not fit its sequence.");
            }
        }

        public Variant Variant { get; }

        public string Name => _fromPixels ? $"{Variant.Name}, from pixels" : Variant.Name;

        /// <summary>Operations of what <see cref="Run"/> runs, without projector, selection and head, which no convention counts.</summary>
        public double Flops => Variant.Plan.ExecutedFlops(FlopsConvention.C, SuffixRows) + (_fromPixels ? Variant.Plan.TowerFlops(FlopsConvention.C) : 0);

        /// <summary>An image is loaded once; so it is encoded again. In front of the decoder alone as a class encodes it that reduces nothing before.</summary>
        public void Begin()
        {
            _sequence.Image.Begin(CancellationToken.None);
            if (!_fromPixels)
            {
                _sequence.Image.RunTower();
                _sequence.Image.Project();
                LoadPrompt();
            }
        }

        public void Run()
        {
            if (_fromPixels)
            {
                ((ICompiledEncoder)_model).Encode(_sequence.Image);
                LoadPrompt();
            }

            ((ICompiledLoop)_model).Run(_sequence.Pass);
        }

        private void LoadPrompt() => _sequence.Pass.LoadPrompt(_sequence.Image, _embeddings, prefix: [], _suffix, CancellationToken.None);

        public void Dispose()
        {
            _sequence.Dispose();
            _model.Dispose();
        }
    }
}

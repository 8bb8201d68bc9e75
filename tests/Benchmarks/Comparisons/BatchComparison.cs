using System.CommandLine;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Planning;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>batches</c>: the throughput protocol of Victor (arXiv 2410.14072, section 4): 16 prompts of 64 text tokens at once, 2 and 128 tokens generated; and what a decode step of several rows costs.</summary>
internal static class BatchComparison
{
    private const int Slots = 16;
    private const int TextTokens = 64;
    private static readonly int[] Generated = [2, 128];
    private static readonly int[] StepRows = [1, 2, 4, 8, 16];

    public static Command CreateCommand() => BenchmarkCommand.Create(
        "batches",
        $"Victor's protocol: {Slots} pictures at once, each with {TextTokens} text tokens, until each has 2 or 128 tokens more; the dense variant and 8 registers for the visual tokens from the second layer on. Then decode steps of several sequences at once. Tower and projector run in it, and are told apart.",
        defaultRounds: 3,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        Suite suite = Suite.For(run.Checkpoint);
        Variant summary = suite.Summary ?? throw new BenchmarkException($"No class of the benchmarks summarises the visual tokens of {run.Checkpoint.Folder}; write a folder by 'synthesize' from another preset.");
        if (!run.Checkpoint.TryGetTensor(VictorWeights.Registers, out _))
        {
            throw new BenchmarkException($"{run.Checkpoint.Folder} was written before presets had registers; write it anew by 'synthesize'.");
        }

        ModelGeometry geometry = suite.Dense.Plan.Geometry;
        float[] pixels = RandomInputs.Pixels(geometry);
        int[] text = RandomInputs.Tokens(geometry, TextTokens);
        int capacity = geometry.VisualTokens + 8 + TextTokens + Generated[^1];
        if (capacity > geometry.Text.MaxPositions)
        {
            throw new BenchmarkException($"The protocol takes {capacity} positions, but the model was declared for {geometry.Text.MaxPositions}.");
        }

        var throughputs = new List<Throughput>();
        try
        {
            foreach (Variant variant in (ReadOnlySpan<Variant>)[suite.Dense, summary])
            {
                run.Progress.Show($"loading: {variant.Name}", 0);
                throughputs.Add(new Throughput(run, variant, capacity, pixels, text));
            }

            run.Report.Say($"{geometry.VisualTokens} visual tokens; {geometry.Text.Layers} layers of {geometry.Text.Hidden} x {geometry.Text.Intermediate}, vocabulary {geometry.Text.Vocabulary}; tower of {geometry.Vision.FeatureLayers} layers of {geometry.Vision.Hidden} x {geometry.Vision.Intermediate}. KV caches of {Slots} sequences: {string.Join(", ", throughputs.Select(static one => $"{one.Name} {Sizes.Of(one.KeyValueBytes)}"))}.");
            run.Report.Say($"Largest difference between logits of the batch and of each sequence alone, 4 steps: {throughputs.Max(static one => one.Difference()):G3}.");
            Protocol(run, throughputs);
            Steps(run, throughputs[0]);
        }
        finally
        {
            throughputs.ForEach(static one => one.Dispose());
        }
    }

    private static void Protocol(BenchmarkRun run, List<Throughput> throughputs)
    {
        var contenders = new List<Contender>();
        var vision = new List<List<double>>();
        foreach (int tokens in Generated)
        {
            foreach (Throughput one in throughputs)
            {
                var times = new List<double>();
                vision.Add(times);
                contenders.Add(new Contender($"{one.Name}, {tokens} tokens", () => times.Add(one.Run(tokens))));
            }
        }

        Measurement[] measurements = run.Measure(contenders);
        var bars = new List<Bar>();
        var table = new MarkdownTable("run", "s for 16", "CPU s", "tower and projector s", "images/s", "tokens/s", "of dense", "quartiles", "without the tower");
        for (int i = 0; i < measurements.Length; i++)
        {
            int dense = i / throughputs.Count * throughputs.Count;
            int tokens = Generated[i / throughputs.Count];
            double seconds = measurements[i].WallSpread.Median / 1000;
            double tower = Tower(i);
            Ratio ratio = measurements[dense].To(measurements[i]);
            bars.Add(Bar.Of(measurements[i].Name, Spread.Of(measurements[i].Wall.Select(static time => 1000 * Slots / time))));
            table.Add(
                measurements[i].Name,
                Numbers.Times(Seconds(measurements[i].Wall)),
                Numbers.Time(measurements[i].CpuSpread.Median / 1000),
                Numbers.Time(tower),
                $"{Slots / seconds:F2}",
                $"{Slots * tokens / seconds:F1}",
                $"{ratio.Wall:F2} x",
                $"[{ratio.Rounds.LowerQuartile:F2}, {ratio.Rounds.UpperQuartile:F2}]",
                $"{((measurements[dense].WallSpread.Median / 1000) - Tower(dense)) / (seconds - tower):F2} x");
        }

        run.Report.Add(table);
        run.Report.Add(new BarChart($"Victor's protocol, {Slots} pictures at once", "images/s", bars));

        // The last ones are those of the rounds that count.
        double Tower(int i) => Spread.Of(vision[i].TakeLast(measurements[i].Wall.Length)).Median;
        static Spread Seconds(double[] milliseconds) => Spread.Of(milliseconds.Select(static time => time / 1000));
    }

    private static void Steps(BenchmarkRun run, Throughput dense)
    {
        dense.Prefill();
        Measurement[] measurements = run.Measure([.. StepRows.Select(rows => new Contender($"{rows} of {Slots} sequences", () => dense.Step(rows), dense.Truncate, Repeats: 8))]);
        var bars = new List<Bar>();
        var table = new MarkdownTable("decode step, dense", "ms", "CPU ms", "tokens/s", "of one alone", "quartiles");
        foreach (Measurement step in measurements)
        {
            int rows = StepRows[Array.IndexOf(measurements, step)];
            Ratio ratio = measurements[0].To(step);
            bars.Add(Bar.Of(step.Name, Spread.Of(step.Wall.Select(time => 1000 * rows / time))));
            table.Add(
                step.Name,
                Numbers.Times(step.WallSpread),
                Numbers.Time(step.CpuSpread.Median),
                $"{1000 * rows / step.WallSpread.Median:F1}",
                $"{rows * ratio.Wall:F2} x",
                $"[{rows * ratio.Rounds.LowerQuartile:F2}, {rows * ratio.Rounds.UpperQuartile:F2}]");
        }

        run.Report.Add(table);
        run.Report.Add(new BarChart("Decode steps of several sequences at once, dense", "tokens/s", bars));
    }

    /// <summary>One variant with a batch, ready to answer the same 16 prompts again and again.</summary>
    private sealed class Throughput : IDisposable
    {
        private readonly VisionLanguageModel _model;
        private readonly SequenceBatch _batch;
        private readonly float[] _pixels;
        private readonly int[] _text;
        private readonly int[] _tokens = new int[Slots];
        private readonly CancellationToken _cancellation;

        public Throughput(BenchmarkRun run, Variant variant, int capacity, float[] pixels, int[] text)
        {
            Name = variant.Name;
            _pixels = pixels;
            _text = text;
            _cancellation = run.Cancellation;
            _model = variant.Load(run.Checkpoint, run.Options);
            try
            {
                _batch = _model.CreateBatch(Slots, capacity);
            }
            catch
            {
                _model.Dispose();
                throw;
            }
        }

        public string Name { get; }

        public long KeyValueBytes => _batch.KeyValueBytes;

        /// <summary>Answers 16 prompts and returns the seconds of tower and projector in it.</summary>
        public double Run(int tokens)
        {
            double vision = Prefill();
            for (int step = 1; step < tokens; step++)
            {
                _model.DecodeTokens(_batch, _tokens, _cancellation);
                Choose();
            }

            return vision;
        }

        public double Prefill()
        {
            TimeSpan vision = TimeSpan.Zero;
            for (int slot = 0; slot < Slots; slot++)
            {
                _model.Prefill(_batch[slot], [], _pixels, _text, _cancellation);
                vision += _batch[slot].Statistics.Vision;
            }

            Choose();
            return vision.TotalSeconds;
        }

        /// <summary>A decode step of the first sequences.</summary>
        public void Step(int rows)
        {
            _tokens.AsSpan(rows).Fill(-1);
            _model.DecodeTokens(_batch, _tokens, _cancellation);
            _tokens.AsSpan(rows).Clear();
        }

        /// <summary>Forgets what steps added.</summary>
        public void Truncate()
        {
            for (int slot = 0; slot < Slots; slot++)
            {
                _batch[slot].Rewind(TextTokens);
            }
        }

        public double Difference()
        {
            const int Steps = 4;
            using Sequence alone = _model.CreateSequence(_batch.Capacity);
            var expected = new List<float[]>();
            _model.Prefill(alone, [], _pixels, _text, _cancellation);
            for (int step = 0; step < Steps; step++)
            {
                _model.Decode(alone, Text(alone.Logits), _cancellation);
                expected.Add(alone.Logits.ToArray());
            }

            double worst = 0;
            Prefill();
            for (int step = 0; step < Steps; step++)
            {
                _model.DecodeTokens(_batch, _tokens, _cancellation);
                for (int slot = 0; slot < Slots; slot++)
                {
                    ReadOnlySpan<float> logits = _batch[slot].Logits;
                    for (int i = 0; i < logits.Length; i++)
                    {
                        worst = Math.Max(worst, Math.Abs(logits[i] - expected[step][i]));
                    }

                    // The tokens of the sequence alone, so that a difference does not grow into another text.
                    _tokens[slot] = Text(expected[step]);
                }
            }

            return worst;
        }

        public void Dispose()
        {
            _batch.Dispose();
            _model.Dispose();
        }

        private void Choose()
        {
            for (int slot = 0; slot < Slots; slot++)
            {
                _tokens[slot] = Text(_batch[slot].Logits);
            }
        }

        // Random weights may choose the id that stands for the image, which is no text.
        private int Text(ReadOnlySpan<float> logits) => Sampler.Greedy(logits) is var token && token == _model.LoadedPlan.Geometry.ImageTokenId ? 0 : token;
    }
}

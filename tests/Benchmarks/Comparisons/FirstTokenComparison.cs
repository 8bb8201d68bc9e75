using System.CommandLine;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Planning;
using Espalier.Vision;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>first-token</c>: the way from a picture to the first token by part, in every precision, dense and with fewer tokens from inside the tower on.</summary>
internal static class FirstTokenComparison
{
    private const int PrefixRows = 14;
    private const int SuffixRows = 30;
    private const int PictureWidth = 640;
    private const int PictureHeight = 480;
    private const int Parts = 5;

    private static readonly Precision[] Precisions = [Precision.Float32, Precision.Int8, Precision.Int4];

    public static Command CreateCommand() => BenchmarkCommand.Create(
        "first-token",
        $"From a picture of {PictureWidth} x {PictureHeight} pixels to the logits of the first token, part by part as the compiled classes run them: {PrefixRows} prefix rows that no cache holds, the visual rows, {SuffixRows} suffix rows. In every precision, whatever --precision says.",
        defaultRounds: 5,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        Suite suite = Suite.For(run.Checkpoint);
        if (suite.InTower.Count == 0)
        {
            throw new BenchmarkException($"No class of the benchmarks reduces in the tower of {run.Checkpoint.Folder}; write a folder by 'synthesize' from another preset.");
        }

        IReadOnlyList<Variant> variants = [suite.Dense, .. suite.InTower];
        var picture = new RgbImage(RandomInputs.Picture(PictureWidth, PictureHeight), PictureWidth, PictureHeight);
        var ways = new List<Way>();
        try
        {
            foreach (Precision precision in Precisions)
            {
                foreach (Variant variant in variants)
                {
                    run.Progress.Show($"loading: {precision}, {variant.Name}", (double)ways.Count / (variants.Count * Precisions.Length));
                    ways.Add(new Way(run, precision, variant, picture));
                }
            }

            run.Progress.Clear();
            ModelGeometry geometry = suite.Dense.Plan.Geometry;
            run.Report.Say($"Tower of {geometry.Vision.FeatureLayers} layers of {geometry.Vision.Hidden} x {geometry.Vision.Intermediate} over {geometry.Vision.Tokens} rows; decoder of {geometry.Text.Layers} layers of {geometry.Text.Hidden} x {geometry.Text.Intermediate}. The tower and the projector take int8 in both integer precisions.");
            Tabulate(run.Report, ways, variants.Count, run.Measure([.. ways.SelectMany(static way => way.Contenders)]));
        }
        finally
        {
            ways.ForEach(static way => way.Dispose());
        }
    }

    private static void Tabulate(Report report, List<Way> ways, int variants, Measurement[] measurements)
    {
        var table = new MarkdownTable("way", "visual rows", "preprocess ms", "tower", "prefix", "projector and embedding", "layers and head", "of it the head", "to the first token", "of the dense one", "tower's share");
        var bars = new List<Bar>();
        for (int i = 0; i < ways.Count; i++)
        {
            Measurement[] parts = measurements[(i * (Parts + 1))..((i + 1) * (Parts + 1))];
            int first = i - (i % variants);
            Measurement[] dense = measurements[(first * (Parts + 1))..((first + 1) * (Parts + 1))];
            Spread whole = Spread.Of(Sums(parts));
            bars.Add(Bar.Of(ways[i].Name, whole));
            table.Add(
                ways[i].Name,
                $"{ways[i].VisualRows}",
                Part(0),
                Part(1),
                Part(2),
                Part(3),
                Part(4),
                Part(5),
                Numbers.Times(whole),
                Numbers.Ratio(whole.Median / Spread.Of(Sums(dense)).Median),
                Numbers.Percent(parts[1].WallSpread.Median / whole.Median));

            string Part(int part) => Numbers.Time(parts[part].WallSpread.Median);
        }

        report.Add(table);
        report.Add(new BarChart("Picture to first token", "ms", bars));
    }

    // The head alone is part of what stands before it.
    private static IEnumerable<double> Sums(Measurement[] parts) =>
        Enumerable.Range(0, parts[0].Wall.Length).Select(round => parts.Take(Parts).Sum(part => part.Wall[round]));

    /// <summary>One class in one precision. The contenders run in their order, each going on where the one before stopped.</summary>
    private sealed class Way : IDisposable
    {
        private readonly VisionLanguageModel _model;
        private readonly Sequence _sequence;
        private readonly SessionCache _cache;
        private readonly PassHead _head;
        private readonly RowTensor _row;

        public Way(BenchmarkRun run, Precision precision, Variant variant, RgbImage picture)
        {
            Name = $"{precision}, {variant.Name}";
            ModelGeometry geometry = variant.Plan.Geometry;
            ModelOptions options = run.Options with { Precision = precision };
            int[] tokens = RandomInputs.Tokens(geometry, PrefixRows + SuffixRows);
            var embeddings = new EmbeddingTable(run.Checkpoint);
            ImagePreprocessor preprocessor = run.Checkpoint.Preprocessor;
            _model = variant.Load(run.Checkpoint, options);
            _sequence = _model.CreateSequence(geometry.VisualTokens + tokens.Length + 1);
            _cache = run.Checkpoint.ShareSessions();
            _head = new PassHead(new ModelSessions(_cache, variant.Plan, options));
            _row = RowTensor.Hidden(geometry.Text.Hidden);
            _row.Resize(1);
            _row.Span<float>().Fill(1);
            var compiled = (ICompiledEncoder)_model;
            Contenders =
            [
                new($"{Name}: preprocess", () => preprocessor.Process(picture, _sequence.Image.Pixels)),
                new($"{Name}: tower", () => compiled.Encode(_sequence.Image), () => _sequence.Image.Begin(run.Cancellation)),
                new($"{Name}: prefix", () => _sequence.Pass.RunPrefix(embeddings, tokens.AsSpan(0, PrefixRows), run.Cancellation)),
                new($"{Name}: projector and embedding", () => _sequence.Pass.LoadPrompt(_sequence.Image, embeddings, tokens.AsSpan(0, PrefixRows), tokens.AsSpan(PrefixRows), run.Cancellation)),
                new($"{Name}: layers and head", () => compiled.Run(_sequence.Pass)),
                new($"{Name}: head", () => _head.Run(_row, 0), Repeats: 8),
            ];
        }

        public string Name { get; }

        public int VisualRows => _sequence.Pass.Map.Count;

        public Contender[] Contenders { get; }

        public void Dispose()
        {
            _head.Dispose();
            _row.Dispose();
            _cache.Release();
            _sequence.Dispose();
            _model.Dispose();
        }
    }
}

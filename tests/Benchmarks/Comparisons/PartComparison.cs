using System.CommandLine;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Planning;
using Espalier.Vision;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>parts</c>: where the time to the first token goes, and that of each token behind it.</summary>
internal static class PartComparison
{
    private const int SuffixRows = 44;
    private const int PictureWidth = 640;
    private const int PictureHeight = 480;

    public static Command CreateCommand() => BenchmarkCommand.Create(
        "parts",
        $"The parts of an answer of the dense variant: a picture of {PictureWidth} x {PictureHeight} pixels, its visual rows and {SuffixRows} suffix rows.",
        defaultRounds: 7,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        Suite suite = Suite.For(run.Checkpoint);
        ReductionPlan plan = suite.Dense.Plan;
        ModelGeometry geometry = plan.Geometry;
        int rows = geometry.VisualTokens + SuffixRows;
        int[] tokens = RandomInputs.Tokens(geometry, rows);
        byte[] picture = RandomInputs.Picture(PictureWidth, PictureHeight);
        var image = new RgbImage(picture, PictureWidth, PictureHeight);
        var embeddings = new EmbeddingTable(run.Checkpoint);
        var embedded = new float[SuffixRows * embeddings.Width];

        // The logits of random weights lie close together; a low temperature spreads them as far as those of a trained model.
        var nucleus = new AnswerOptions { Temperature = 0.2f, TopP = 0.9f };

        SessionCache cache = run.Checkpoint.ShareSessions();
        try
        {
            var sessions = new ModelSessions(cache, plan, run.Options);
            using var tower = new WholeTower(sessions, scores: null);
            using var projector = new ProjectorBinding(sessions, tower.Features, step: null);
            using var decoder = new LayeredDecoder(sessions, plan, embeddings, rows + 64);
            using RowTensor projected = RowTensor.Hidden(geometry.Text.Hidden);
            projected.Resize(geometry.VisualTokens);
            var sampler = new Sampler(geometry.Text.Vocabulary);
            ImagePreprocessor preprocessor = run.Checkpoint.Preprocessor;

            Contender[] parts =
            [
                new("preprocess", () => preprocessor.Process(image, tower.Pixels)),
                new($"tower, {geometry.Vision.FeatureLayers} layers, {geometry.Vision.Tokens} rows", tower.Run),
                new("projector", () => projector.WriteInto(projected.Value)),
                new($"embedding of {SuffixRows} tokens", () => embeddings.Read(tokens.AsSpan(0, SuffixRows), embedded), Repeats: 16),
                new($"decoder, {geometry.Text.Layers} layers, {rows} rows", decoder.RunLayers, () => decoder.LoadRows(tokens)),
                new("head, last row", decoder.RunHead, Repeats: 8),
                new("sampler, greedy", () => Sampler.Greedy(decoder.Logits), Repeats: 64),
                new("sampler, nucleus", () => sampler.Next(decoder.Logits, nucleus), Repeats: 64),
                new($"decode step behind {rows} rows", () => decoder.Decode(tokens[0], rows), () => decoder.Truncate(rows)),
            ];
            Tabulate(run.Report, run.Measure(parts));
        }
        finally
        {
            cache.Release();
        }
    }

    private static void Tabulate(Report report, Measurement[] measurements)
    {
        // Up to the greedy sampler they are the way to the first token; the nucleus sampler stands in its place, the step comes behind.
        const int ToFirstToken = 7;
        double sum = measurements.Take(ToFirstToken).Sum(static part => part.WallSpread.Median);
        var table = new MarkdownTable("part", "ms", "minimum", "CPU ms", "of the time to the first token");
        for (int i = 0; i < measurements.Length; i++)
        {
            Measurement part = measurements[i];
            table.Add(
                part.Name,
                Numbers.Times(part.WallSpread),
                Numbers.Time(part.WallSpread.Minimum),
                Numbers.Time(part.CpuSpread.Median),
                i < ToFirstToken ? Numbers.Percent(part.WallSpread.Median / sum) : "");
        }

        report.Add(table);
        report.Add(new BarChart("Parts of an answer", "ms", [.. measurements.Select(static part => Bar.Of(part.Name, part.WallSpread))]));
        report.Say($"Time to the first token, sum of medians: {Numbers.Time(sum)} ms.");
    }
}

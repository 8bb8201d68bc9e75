using Espalier.Tests.Declared;
using Espalier.Vision;
using Xunit.Abstractions;

namespace Espalier.Tests;

/// <summary>The precisions end to end: how far their logits are from those of single precision, and that kinds, variants and precisions of one checkpoint get along.</summary>
public sealed class PrecisionTests(QuantisedFolder folder, ITestOutputHelper output) : IClassFixture<QuantisedFolder>
{
    private const int Steps = 8;

    public static TheoryData<string, string, Precision, double> Cases => new()
    {
        // The tiny checkpoints have random weights, which exaggerate the error of the format; the sample model's are trained.
        { "clip-llama", "dense", Precision.Int8, 0.1 },
        { "clip-llama", "dense", Precision.Int4, 0.7 },
        { "clip-llama-f16", "dense", Precision.Int8, 0.1 },
        { "clip-llama-f16", "dense", Precision.Int4, 0.7 },
        { "siglip-qwen2", "dense", Precision.Int8, 0.1 },
        { "siglip-qwen2", "dense", Precision.Int4, 0.7 },
        { "clip-llama", "dense", Precision.Float16, 0.005 },
        { "clip-llama-f16", "dense", Precision.Float16, 0.005 },
        { "siglip-qwen2", "dense", Precision.Float16, 0.005 },
        { "shapes", "q1.dense", Precision.Float16, 0.005 },
        { "shapes", "q1.shortv", Precision.Float16, 0.005 },
        { "shapes", "q1.dense", Precision.Int8, 0.05 },
        { "shapes", "q1.dense", Precision.Int4, 0.3 },
        { "shapes", "q1.dense", Precision.Int8PrefillInt4Decode, 0.3 },
        { "shapes", "q1.shortv", Precision.Int8PrefillInt4Decode, 0.3 },
        { "shapes", "q1.shortv", Precision.Int8, 0.05 },
        { "shapes", "q1.shortv", Precision.Int4, 0.3 },
    };

    [Theory]
    [InlineData(Precision.Int8)]
    [InlineData(Precision.Int4)]
    [InlineData(Precision.Int8PrefillInt4Decode)]
    public void PartsOfQuantisedWeightsAreRefused(Precision precision)
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        ModelOptions options = folder.Options(precision);
        foreach (Func<VisionLanguageModel> load in (Func<VisionLanguageModel>[])[() => ClipLlamaYopo.Load(checkpoint, options), () => ClipLlamaLens.Load(checkpoint, options), () => ClipLlamaYopoHeads.Load(checkpoint, options)])
        {
            Assert.Contains("parts of the decoder's weights", Assert.Throws<PrecisionNotSupportedException>(load).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void LogitsStayNearThoseOfSinglePrecision(string model, string name, Precision precision, double bound)
    {
        Goldens goldens = Goldens.Of(model);
        using Checkpoint checkpoint = Checkpoint.Open(goldens.CheckpointFolder);
        int[] tokens = Goldens.Ints(goldens.Case(name).GetProperty("tokens"));
        List<float[]> expected = Run(checkpoint, goldens, name, Precision.Float32, tokens);
        List<float[]> actual = Run(checkpoint, goldens, name, precision, tokens);

        double error = 0;
        double size = 0;
        float largest = 0;
        int agreeing = 0;
        for (int step = 0; step < expected.Count; step++)
        {
            agreeing += Sampler.Greedy(expected[step]) == Sampler.Greedy(actual[step]) ? 1 : 0;
            double mean = expected[step].Average();
            for (int i = 0; i < expected[step].Length; i++)
            {
                float difference = expected[step][i] - actual[step][i];
                largest = Math.Max(largest, Math.Abs(difference));
                error += (double)difference * difference;
                size += (expected[step][i] - mean) * (expected[step][i] - mean);
            }
        }

        double relative = Math.Sqrt(error / size);
        output.WriteLine($"{model} {name} {precision}: relative error {relative:F4}, largest difference {largest:F4}, same token {agreeing} of {expected.Count}");

        // Above nothing, too: a format that was not taken would make no difference.
        Assert.InRange(relative, 1e-5, bound);
    }

    [Fact]
    public void TheLoadedPrecisionIsTheDeclaredOneUnlessTheOptionsNameAnother()
    {
        using var declared = new TinyModel(c => ClipLlamaInt8.Load(c, folder.Options(null)));
        using var named = new TinyModel(c => ClipLlamaDense.Load(c, folder.Options(Precision.Int8)));
        using var overridden = new TinyModel(c => ClipLlamaInt8.Load(c, folder.Options(Precision.Float32)));
        using var single = new TinyModel(static c => ClipLlamaDense.Load(c));
        Assert.Equal(
            [Precision.Int8, Precision.Int8, Precision.Float32, Precision.Float32],
            new[] { declared, named, overridden, single }.Select(static tiny => tiny.Model.Precision));
        float[] int8 = Logits(declared);
        float[] float32 = Logits(single);
        Assert.Equal(int8, Logits(named));
        Assert.Equal(float32, Logits(overridden));
        Assert.NotEqual(int8, float32);
        Assert.Throws<ArgumentOutOfRangeException>(() => ClipLlamaInt8.Load(single.Checkpoint, folder.Options((Precision)99)));

        static float[] Logits(TinyModel tiny)
        {
            using Sequence sequence = tiny.CreateSequence();
            return tiny.Run(sequence, 0)[0];
        }
    }

    [Fact]
    public void TheMixedPrecisionTakesBothFormatsOverOneCache()
    {
        List<float[]> mixed = Run(Precision.Int8PrefillInt4Decode);
        List<float[]> int4 = Run(Precision.Int4);
        List<float[]> int8 = Run(Precision.Int8);

        // The head is that of int4, the rows under it are those of int8, and so it stays nearer to single precision than int4 does.
        Assert.NotEqual(int8[0], mixed[0]);
        Assert.NotEqual(int4[0], mixed[0]);
        Assert.NotEqual(int8[1], mixed[1]);
        List<float[]> single = Run(Precision.Float32);
        Assert.True(Distance(mixed[0], single[0]) < Distance(int4[0], single[0]));

        List<float[]> Run(Precision precision)
        {
            using var tiny = new TinyModel(c => ClipLlamaDense.Load(c, folder.Options(precision)));
            using Sequence sequence = tiny.CreateSequence();
            return tiny.Run(sequence, 1);
        }

        static double Distance(float[] one, float[] other) => one.Zip(other, static (a, b) => (double)(a - b) * (a - b)).Sum();
    }

    [Fact]
    public void PrecisionsAndVariantsOfOneCheckpointDoNotDisturbEachOther()
    {
        Func<Checkpoint, VisionLanguageModel>[] loads =
        [
            c => ClipLlamaAll.Load(c, folder.Options(Precision.Int8)),
            c => ClipLlamaDense.Load(c, folder.Options(Precision.Int4)),
            static c => ClipLlamaAll.Load(c),
            c => ClipLlamaDense.Load(c, folder.Options(Precision.Int8)),
            c => ClipLlamaAll.Load(c, folder.Options(Precision.Int4)),
        ];
        List<float[]>[] alone = Array.ConvertAll(loads, load =>
        {
            using var tiny = new TinyModel(load);
            using Sequence sequence = tiny.CreateSequence();
            return tiny.Run(sequence, 3);
        });

        using var shared = new TinyModel(loads[0]);
        VisionLanguageModel[] models = Array.ConvertAll(loads, load => load(shared.Checkpoint));
        Sequence[] sequences = Array.ConvertAll(models, model => model.CreateSequence(shared.PromptTokens + 8));
        for (int i = 0; i < models.Length; i++)
        {
            Assert.Equal(StepResult.Ready, models[i].Prefill(sequences[i], shared.Prefix, shared.Pixels, shared.Suffix));
        }

        for (int step = 0; step < alone[0].Count; step++)
        {
            for (int i = 0; i < models.Length; i++)
            {
                Assert.Equal(alone[i][step], sequences[i].Logits);
                models[i].Decode(sequences[i], Sampler.Greedy(sequences[i].Logits));
            }
        }

        Array.ForEach(sequences, static sequence => sequence.Dispose());
        Array.ForEach(models, static model => model.Dispose());
    }

    [Fact]
    public void ACancelledLoadCanBeRepeated()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("siglip-qwen2").CheckpointFolder);
        using var source = new CancellationTokenSource();
        var reports = new List<LoadProgress>();
        ModelOptions options = folder.Options(Precision.Int8) with
        {
            CancellationToken = source.Token,
            Progress = new Recorder(progress =>
            {
                reports.Add(progress);
                if (progress is { Stage: LoadStage.BuildSessions, Done: 3 })
                {
                    source.Cancel();
                }
            }),
        };
        Assert.ThrowsAny<OperationCanceledException>(() => SiglipQwen2Dense.Load(checkpoint, options));
        Assert.Equal(3, reports.Count(static progress => progress.Stage == LoadStage.BuildSessions));
        using var model = SiglipQwen2Dense.Load(checkpoint, options with { CancellationToken = CancellationToken.None, Progress = null });
        Assert.Equal(Precision.Int8, model.Precision);
    }

    private static VisionLanguageModel Load(string model, string name, Checkpoint checkpoint, ModelOptions options) => (model, name) switch
    {
        ("clip-llama", _) => ClipLlamaDense.Load(checkpoint, options),
        ("clip-llama-f16", _) => ClipLlamaF16Dense.Load(checkpoint, options),
        ("siglip-qwen2", _) => SiglipQwen2Dense.Load(checkpoint, options),
        ("shapes", "q1.shortv") => ShapesShortV.Load(checkpoint, options),
        _ => ShapesDense.Load(checkpoint, options),
    };

    private List<float[]> Run(Checkpoint checkpoint, Goldens goldens, string name, Precision precision, int[] tokens)
    {
        (int[] prefix, int[] suffix, _) = goldens.Prompt(name);
        (byte[] rgb, int width, int height) = goldens.Image();
        using VisionLanguageModel model = Load(Path.GetFileName(goldens.CheckpointFolder), name, checkpoint, folder.Options(precision));
        using Sequence sequence = model.CreateSequence(prefix.Length + model.LoadedPlan.Geometry.VisualTokens + suffix.Length + Steps);
        var pixels = new float[3 * checkpoint.Geometry.Vision.ImageSize * checkpoint.Geometry.Vision.ImageSize];
        model.Preprocessor.Process(new RgbImage(rgb, width, height), pixels);
        Assert.Equal(StepResult.Ready, model.Prefill(sequence, prefix, pixels, suffix));
        var logits = new List<float[]> { sequence.Logits.ToArray() };
        foreach (int token in tokens.Take(Steps))
        {
            Assert.Equal(StepResult.Ready, model.Decode(sequence, token));
            logits.Add(sequence.Logits.ToArray());
        }

        return logits;
    }

    private sealed class Recorder(Action<LoadProgress> then) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => then(value);
    }
}

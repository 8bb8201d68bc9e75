using System.Runtime.InteropServices;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Tests.Declared;
using Xunit.Abstractions;

namespace Espalier.Tests;

/// <summary>What a method learned is quantised like the checkpoint's own layers, from its own file, and answers as it does in single precision.</summary>
public sealed class LearnedPrecisionTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _folder = CopyOf(Goldens.Of("clip-llama").CheckpointFolder);

    public static TheoryData<string, Precision> All
    {
        get
        {
            var all = new TheoryData<string, Precision>();
            foreach (string method in (string[])["victor-4", "dyvte"])
            {
                foreach (Precision precision in (Precision[])[Precision.Int8, Precision.Int4, Precision.Int8PrefillInt4Decode])
                {
                    all.Add(method, precision);
                }
            }

            return all;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A checkpoint that holds the learned tensors itself is quantised as one; with the file beside it, the numbers are the same to the last bit.</summary>
    [Theory]
    [MemberData(nameof(All))]
    public void AFileBesideIsQuantisedAsTensorsInsideAre(string method, Precision precision)
    {
        List<float[]> beside = Answer(method, precision);
        Tensors.Move(Path.Combine(_folder, method + ".safetensors"), Path.Combine(_folder, "model.safetensors"));
        Assert.Equal(beside, Answer(method, precision));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void EachPrecisionComputesSomethingElse(string method, Precision precision) =>
        Assert.NotEqual(Answer(method, Precision.Float32)[0], Answer(method, precision)[0]);

    [Theory]
    [InlineData("victor-4", "language_model.model.layers.4.mlp.down_proj.weight")]
    [InlineData("dyvte", "model.visual_gates_router.0.w1.weight")]
    public void TheQuantisedFileIsKeptUntilTheLearnedFileChanges(string method, string tensor)
    {
        string learned = Path.Combine(_folder, method + ".safetensors");
        string kept = Path.Combine(_folder, ".espalier", method + "-int8-v1.safetensors");
        File.SetLastWriteTimeUtc(learned, DateTime.UtcNow - TimeSpan.FromHours(1));
        Answer(method, Precision.Int8);
        byte[] first = File.ReadAllBytes(kept);
        byte[] decoder = File.ReadAllBytes(Path.Combine(_folder, ".espalier", "decoder-int8-v1.safetensors"));
        DateTime written = File.GetLastWriteTimeUtc(kept);
        Answer(method, Precision.Int8);
        Assert.Equal(written, File.GetLastWriteTimeUtc(kept));

        // Other weights, of the same age: only the digest tells.
        Tensors tensors = Tensors.Read(learned);
        Span<float> values = MemoryMarshal.Cast<byte, float>(tensors.Bytes(tensor).AsSpan());
        Assert.Equal("F32", tensors.Entry(tensor)["dtype"]!.GetValue<string>());
        for (int i = 0; i < values.Length; i++)
        {
            values[i] *= -1.5f;
        }

        tensors.Write(learned);
        File.SetLastWriteTimeUtc(learned, DateTime.UtcNow - TimeSpan.FromHours(1));
        List<float[]> changed = Answer(method, Precision.Int8);
        Assert.NotEqual(first, File.ReadAllBytes(kept));
        Assert.Equal(decoder, File.ReadAllBytes(Path.Combine(_folder, ".espalier", "decoder-int8-v1.safetensors")));
        File.Delete(kept);
        Assert.Equal(changed, Answer(method, Precision.Int8));
    }

    [Theory]
    [InlineData("victor-4")]
    [InlineData("dyvte")]
    public void ADamagedQuantisedFileIsMadeAnew(string method)
    {
        string kept = Path.Combine(_folder, ".espalier", method + "-int8-v1.safetensors");
        List<float[]> whole = Answer(method, Precision.Int8);
        byte[] bytes = File.ReadAllBytes(kept);
        byte[] damaged = [.. bytes];
        damaged[^5] ^= 0x10;
        File.WriteAllBytes(kept, damaged);
        Assert.Equal(whole, Answer(method, Precision.Int8));
        Assert.Equal(bytes, File.ReadAllBytes(kept));
    }

    [Fact]
    public void ALearnedWeightThatIsNoNumberIsNamedWithItsFile()
    {
        const string Tensor = "language_model.model.layers.4.mlp.down_proj.weight";
        string learned = Path.Combine(_folder, "victor-4.safetensors");
        Tensors tensors = Tensors.Read(learned);
        MemoryMarshal.Cast<byte, float>(tensors.Bytes(Tensor).AsSpan())[3] = float.NaN;
        tensors.Write(learned);
        NonFiniteWeightException error = Assert.Throws<NonFiniteWeightException>(() => Answer("victor-4", Precision.Int8));
        Assert.Equal((learned, "language_model.layers.4.mlp.down_proj.weight"), (error.File, error.Tensor));
    }

    [Fact]
    public void VariantsWithoutTheFileDoNotNotice()
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        var options = new ModelOptions { Precision = Precision.Int8 };
        float[] alone = First(ClipLlamaDense.Load(checkpoint, options));
        float[] registers = First(ClipLlamaVictor.Load(checkpoint, options));
        Assert.Equal(alone, First(ClipLlamaDense.Load(checkpoint, options)));
        Assert.NotEqual(alone, registers);

        // The same file serves another variant of the checkpoint, loaded later and in another precision too.
        Assert.NotEqual(registers, First(ClipLlamaVictor.Load(checkpoint, options with { Precision = Precision.Int4 })));
        Assert.Equal(registers, First(ClipLlamaVictor.Load(checkpoint, options)));

        static float[] First(VisionLanguageModel model)
        {
            using var tiny = new TinyModel(_ => model);
            using Sequence sequence = tiny.CreateSequence();
            return tiny.Run(sequence, 0)[0];
        }
    }

    /// <summary>One tensor a weight, whatever the kind of the layer that reads it: that is what ONNX Runtime packs once.</summary>
    [Fact]
    public void TheKindsOfALayerReadOneTensor()
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        using LearnedFile file = LearnedFile.Open(Path.Combine(_folder, "victor-4.safetensors"));
        VictorWeights weights = new([], file);
        QuantisedFormat format = Int8PerToken.Signed;
        using var learned = new LearnedWeights(file);
        learned.Add(WeightCache.Open([QuantisedLayout.Of(file, "victor-4", weights.Linear, format)], new ModelOptions())[0]);
        int shared = 0;
        for (int layer = 0; layer < checkpoint.Geometry.Text.Layers; layer++)
        {
            var seen = new Dictionary<string, OrtValue>(StringComparer.Ordinal);
            foreach (LayerKind kind in (LayerKind[])[LayerKind.Dense, LayerKind.Frozen, LayerKind.Scored])
            {
                foreach (WeightUse use in DecoderLayerGraph.Build(checkpoint.Geometry.Text, layer, kind, format, partial: null).Weights)
                {
                    if (learned.TryGet(use, out OrtValue? value) && use.Name.Contains(".int8", StringComparison.Ordinal) && !seen.TryAdd(use.Name, value))
                    {
                        Assert.Same(seen[use.Name], value);
                        shared++;
                    }
                }
            }
        }

        Assert.True(shared > 0);
    }

    [Fact]
    public void GatesReadIntegersAlone()
    {
        foreach (QuantisedFormat format in (QuantisedFormat[])[Int8PerToken.Signed, Int4Blocks.Instance])
        {
            using Checkpoint checkpoint = Checkpoint.Open(_folder);
            GraphModel gate = GateGraph.Build(checkpoint.Geometry.Text, layer: 1, inner: 24, format);
            Assert.Equal(4, gate.Weights.Count);
            Assert.All(gate.Weights, use => Assert.Contains(".weight." + format.Name, use.Name, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("victor16")]
    [InlineData("victor4")]
    [InlineData("dyvte")]
    public async Task AnswersStayThoseOfSinglePrecision(string variant)
    {
        string cache = Directory.CreateTempSubdirectory("espalier-").FullName;
        try
        {
            (string[] single, int right) = await Ask(variant, Precision.Float32, cache);
            foreach ((Precision precision, double points) in ((Precision, double)[])[(Precision.Int8, 2), (Precision.Int4, 6), (Precision.Int8PrefillInt4Decode, 3)])
            {
                (string[] answers, int quantised) = await Ask(variant, precision, cache);
                int same = answers.Zip(single).Count(static pair => pair.First == pair.Second);
                output.WriteLine($"{variant} {precision}: {quantised} of {answers.Length} right, single precision {right}; {same} answers the same");
                Assert.True(quantised >= right - (points / 100 * answers.Length), $"{precision} answers {quantised} of {answers.Length} rightly, single precision {right}.");
            }
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    private static string CopyOf(string checkpoint)
    {
        string folder = Directory.CreateTempSubdirectory("espalier-").FullName;
        foreach (string file in Directory.GetFiles(checkpoint))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        return folder;
    }

    /// <summary>Every fifth held-out question: 104 of them.</summary>
    private static async Task<(string[] Answers, int Right)> Ask(string variant, Precision precision, string cache)
    {
        var options = new ModelOptions { Precision = precision, CacheFolder = cache };
        using Checkpoint checkpoint = Checkpoint.Open(HeldOutQuestions.ModelFolder);
        using VisionLanguageModel model = variant switch
        {
            "victor16" => ShapesVictor16.Load(checkpoint, options),
            "victor4" => ShapesVictor4.Load(checkpoint, options),
            _ => ShapesDyVte.Load(checkpoint, options),
        };
        using Sequence sequence = model.CreateSequence(checkpoint.Geometry.Text.MaxPositions);
        var answers = new List<string>();
        int right = 0;
        await foreach ((string answer, bool isRight) in HeldOutQuestions.AskAsync(model, sequence, every: 5))
        {
            answers.Add(answer);
            right += isRight ? 1 : 0;
        }

        return ([.. answers], right);
    }

    private List<float[]> Answer(string method, Precision precision)
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        var options = new ModelOptions { Precision = precision };
        using var tiny = new TinyModel(_ => method == "dyvte" ? ClipLlamaDyVte.Load(checkpoint, options) : ClipLlamaVictor.Load(checkpoint, options));
        using Sequence sequence = tiny.CreateSequence();
        return tiny.Run(sequence, 3);
    }
}

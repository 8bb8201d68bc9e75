using System.Text.Json;
using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Samples.Shapes.Variants;
using Espalier.Tests.Declared;
using Xunit.Abstractions;

namespace Espalier.Tests;

/// <summary>Half precision, executed on the CPU: the graphs, weights, rows and caches that CUDA gets, against single precision.</summary>
public sealed class HalfPrecisionTests(ITestOutputHelper output)
{
    // Ten bits behind the point leave logits of up to 20 a hundredth; the largest difference that was seen is 0.0093.
    private const float Tolerance = 0.02f;

    private static readonly ModelOptions Half = new() { Precision = Precision.Float16 };

    [Theory]
    [MemberData(nameof(SampleAnswer.Variants), MemberType = typeof(SampleAnswer))]
    public async Task ASampleVariantAnswersAsInSinglePrecision(string variant)
    {
        using Checkpoint checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples", "models", "shapes"));
        SampleAnswer expected = await SampleAnswer.Of(variant, checkpoint, null);
        SampleAnswer found = await SampleAnswer.Of(variant, checkpoint, Half);
        float difference = LogitComparison.LargestDifference(expected.Logits, found.Logits);
        output.WriteLine($"{variant}: {found.Text}, logits differ by {difference:G3} at most");
        Assert.Equal(expected.Text, found.Text);

        // These rank equal patches of a background by differences that 16 bits do not hold, and keep others of them.
        bool choosesOthers = variant is nameof(CDPrunerShapes) or nameof(FoPruShapes) or nameof(RecoverableShapes);
        Assert.InRange(difference, 1e-6f, choosesOthers ? 1 : Tolerance);
    }

    // Kinds of layers, towers and steps that no variant of the sample has.
    [Theory]
    [InlineData(typeof(ClipLlamaAll))]
    [InlineData(typeof(ClipLlamaFastVMeanFrozen))]
    [InlineData(typeof(ClipLlamaSimilarityText))]
    [InlineData(typeof(ClipLlamaPyramidTogether))]
    [InlineData(typeof(ClipLlamaFiCoCoLTogether))]
    [InlineData(typeof(ClipLlamaTowerAndDecoder))]
    [InlineData(typeof(ClipLlamaMergeTwice))]
    [InlineData(typeof(ClipLlamaNormTwice))]
    [InlineData(typeof(ClipLlamaSparseVlmAll))]
    [InlineData(typeof(ClipLlamaYopoTogether))]
    [InlineData(typeof(ClipLlamaLensTogether))]
    [InlineData(typeof(ClipLlamaAim))]
    [InlineData(typeof(ClipLlamaDart))]
    [InlineData(typeof(ClipLlamaFfnSkip))]
    public void ADeviceWithMemoryOfItsOwnComputesTheBitsOfTheCpu(Type variant)
    {
        List<float[]> single = Run(null);
        List<float[]> expected = Run(Half);
        List<float[]> found = Run(Half with { Device = RehearsedDevice.Device });
        for (int step = 0; step < expected.Count; step++)
        {
            Assert.Equal(expected[step], found[step]);
        }

        output.WriteLine($"{variant.Name}: logits differ from single precision by {LogitComparison.LargestDifference(single, expected):G3} at most");

        List<float[]> Run(ModelOptions? options)
        {
            using TinyModel tiny = TinyModel.Of(variant, options);
            using Sequence sequence = tiny.CreateSequence();
            List<float[]> logits = tiny.Run(sequence, steps: 2);
            logits.AddRange(tiny.Run(sequence, steps: 1));
            return logits;
        }
    }

    // The sample has no text tower of CLIP. It computes in 32 bits; the features that it is compared with have 16.
    [Theory]
    [MemberData(nameof(ClipCopies.Cases), MemberType = typeof(ClipCopies))]
    public void CDPrunerAsksClipInHalfPrecisionToo(int index)
    {
        JsonElement golden = ClipCopies.Golden.GetProperty("cases")[index];
        string question = golden.GetProperty("question").GetString()!;
        using var copies = new ClipCopies();
        using Checkpoint checkpoint = copies.Open(inside: "clip");
        (float[] relevance, int[] kept, float[] logits) = Run(Half);
        (float[] found, int[] keptThere, float[] logitsThere) = Run(Half with { Device = RehearsedDevice.Device });
        Assert.Equal(relevance, found);
        Assert.Equal(kept, keptThere);
        Assert.Equal(logits, logitsThere);

        float difference = LogitComparison.LargestDifference([Goldens.Floats(golden.GetProperty("relevance"))], [relevance]);
        output.WriteLine($"relevance differs by {difference:G3} at most, logits by {LogitComparison.LargestDifference([Goldens.Floats(golden.GetProperty("logits"))], [logits]):G3}");
        Assert.InRange(difference, 1e-7f, 1e-3f);
        Assert.Equal(Goldens.Ints(golden.GetProperty("kept")), kept);
        LogitComparison.AssertClose([Goldens.Floats(golden.GetProperty("logits"))], [logits], Tolerance);

        (float[], int[], float[]) Run(ModelOptions options)
        {
            using var model = ClipLlamaCDPruner.Load(checkpoint, options);
            using var tiny = new TinyModel();
            using Sequence sequence = model.CreateSequence(tiny.Prefix.Length + model.LoadedPlan.ImagePositions + tiny.Suffix.Length + 60);
            tiny.Pixels.CopyTo(sequence.Image.Pixels);
            Assert.Equal(StepResult.Ready, model.PrefillPixels(sequence, tiny.Prefix, tiny.Suffix, question, default));
            SessionCache cache = checkpoint.ShareSessions();
            try
            {
                return (ClipCopies.Relevance(new ModelSessions(cache, ClipLlamaCDPruner.Plan, options), question), sequence.SurvivorsOf(0).ToArray(), sequence.Logits.ToArray());
            }
            finally
            {
                cache.Release();
            }
        }
    }

    [Fact]
    public void APrefixThatAnotherSequenceRanIsCopiedInTheMemoryOfTheDevice()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaAll.Load(checkpoint, Half with { Device = RehearsedDevice.Device }));
        using Sequence first = tiny.CreateSequence();
        using Sequence second = tiny.CreateSequence(extra: 40);
        List<float[]> ran = tiny.Run(first, steps: 3);
        List<float[]> copied = tiny.Run(second, steps: 3);
        Assert.Equal(0, first.Statistics.CachedPromptTokens);
        Assert.Equal(tiny.Prefix.Length, second.Statistics.CachedPromptTokens);
        for (int step = 0; step < ran.Count; step++)
        {
            Assert.Equal(ran[step], copied[step]);
        }
    }

    [Fact]
    public void ADecodeStepWaitsOnceAndMovesHalfOfWhatSinglePrecisionMoves()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, Half with { Device = RehearsedDevice.Device }));
        using Sequence sequence = tiny.CreateSequence();
        tiny.Run(sequence, steps: 2);
        DeviceMemory memory = sequence.Pass.Memory;
        TextGeometry text = tiny.Model.LoadedPlan.Geometry.Text;
        (long up, long down, long waits) = (memory.BytesToDevice, memory.BytesToHost, memory.Waits);
        Assert.Equal(StepResult.Ready, tiny.Model.Decode(sequence, 5));
        Assert.Equal(waits, memory.Waits);
        _ = sequence.Logits[0];
        Assert.Equal(waits + 1, memory.Waits);
        Assert.Equal((sizeof(ushort) * text.Hidden) + sizeof(long) + sizeof(int), memory.BytesToDevice - up);
        Assert.Equal(sizeof(float) * text.Vocabulary, memory.BytesToHost - down);
    }

    [Fact]
    public void DecodeStepsRunOnOneThreadFromWhichFailuresComeBack()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, Half with { Device = RehearsedDevice.Device }));
        Assert.Equal("CPUExecutionProvider, Precision.Float16; decode steps are replayed.", tiny.Model.Execution);
        using Sequence sequence = tiny.CreateSequence();
        tiny.Run(sequence, steps: 1);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => tiny.Model.Decode(sequence, 5, cancelled.Token));

        // The thread goes on, for this sequence and for another.
        List<float[]> again = tiny.Run(sequence, steps: 2);
        using Sequence other = tiny.CreateSequence();
        Assert.Equal(again[^1], tiny.Run(other, steps: 2)[^1]);
    }

    [Fact]
    public void CachesAndWeightsTakeHalfTheMemory()
    {
        using var single = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint));
        using var half = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, Half));
        using Sequence ofSingle = single.CreateSequence();
        using Sequence ofHalf = half.CreateSequence();
        Assert.Equal(ofSingle.KeyValueBytes, 2 * ofHalf.KeyValueBytes);
        Assert.Equal("CPUExecutionProvider, Precision.Float16.", half.Model.Execution);
    }

    [Fact]
    public void WeightsThatAreStoredSoAreTheFilesBytes()
    {
        using Checkpoint checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples", "models", "shapes"));
        Assert.True(checkpoint.TryGetTensor("language_model.layers.0.self_attn.q_proj.weight", out CheckpointTensor tensor));
        Assert.Equal(TensorType.F16, tensor.Type);
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            long[] shape = tensor.Shape.ToArray();
            WeightUse use = new(tensor.Name, OrtElementType.Float, shape);
            Assert.Equal(tensor.Data, cache.Weight(use.Rounded(OrtElementType.Float16)).DataPointer);
            Assert.NotEqual(tensor.Data, cache.Weight(use.Rounded(OrtElementType.BFloat16)).DataPointer);
        }
        finally
        {
            cache.Release();
        }
    }

    [Fact]
    public void VariantsShareTheWeightsOfADevice()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        ModelOptions options = Half with { Device = RehearsedDevice.Device };
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            using ClipLlamaDense first = ClipLlamaDense.Load(checkpoint, options);
            DeviceMemory memory = cache.Memory(RehearsedDevice.Device.Provider);
            (long uploaded, long? used) = (memory.BytesToDevice, memory.BytesInUse);

            // The rehearsal's memory is that of the process, which other tests use at the same time: there is no upper bound.
            Assert.InRange(used!.Value, uploaded, long.MaxValue);
            Assert.InRange(uploaded, 1, long.MaxValue);
            using ClipLlamaAll second = ClipLlamaAll.Load(checkpoint, options);
            Assert.Equal(uploaded, memory.BytesToDevice);
        }
        finally
        {
            cache.Release();
        }
    }

    [Fact]
    public void BatchesAndBFloat16OnTheCpuAreRefused()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, Half));
        Assert.Contains("single precision", Assert.Throws<NotSupportedException>(() => tiny.Model.CreateBatch(2, tiny.PromptTokens + 4)).Message, StringComparison.Ordinal);
        Assert.Throws<PrecisionNotSupportedException>(() => ClipLlamaDense.Load(tiny.Checkpoint, Half with { Precision = Precision.BFloat16 }));
    }
}

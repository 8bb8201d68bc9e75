using System.Reflection;
using Espalier.Graphs;
using Espalier.Graphs.Lowering;
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

    public static TheoryData<string> Variants() => WebGpuTests.Variants();

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task ASampleVariantAnswersAsInSinglePrecision(string variant)
    {
        MethodInfo load = typeof(DenseShapes).Assembly.GetType(typeof(DenseShapes).Namespace + "." + variant)!.GetMethod("Load", [typeof(Checkpoint), typeof(ModelOptions)])!;
        using Checkpoint checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples", "models", "shapes"));
        (string expected, List<float[]> expectedLogits) = await Ask(null);
        (string answer, List<float[]> logits) = await Ask(Half);
        float difference = Difference(expectedLogits, logits);
        output.WriteLine($"{variant}: {answer}, logits differ by {difference:G3} at most");
        Assert.Equal(expected, answer);

        // These two rank equal patches of a background by differences that 16 bits do not hold, and keep others of them.
        bool choosesOthers = variant is nameof(FoPruShapes) or nameof(RecoverableShapes);
        Assert.InRange(difference, 1e-6f, choosesOthers ? 1 : Tolerance);

        async Task<(string, List<float[]>)> Ask(ModelOptions? options)
        {
            using var model = (VisionLanguageModel)load.Invoke(null, [checkpoint, options])!;
            using Sequence sequence = model.CreateSequence(200);
            Imaging.DecodedImage image = Imaging.ImageDecoder.Load(RepositoryFolder.Combine("samples", "images", "pair.png"));
            string answer = "";
            var logits = new List<float[]>();
            await foreach (string text in model.AnswerAsync(sequence, image, "where is the yellow square ?", new AnswerOptions { MaxNewTokens = 2 }))
            {
                answer += text;
                logits.Add(sequence.Logits.ToArray());
            }

            logits.Add(sequence.Logits.ToArray());
            return (answer, logits);
        }
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
        MethodInfo load = variant.GetMethod("Load", [typeof(Checkpoint), typeof(ModelOptions)])!;
        List<float[]> single = Run(null);
        List<float[]> expected = Run(Half);
        List<float[]> found = Run(Half with { Device = RehearsedDevice.Device });
        for (int step = 0; step < expected.Count; step++)
        {
            Assert.Equal(expected[step], found[step]);
        }

        output.WriteLine($"{variant.Name}: logits differ from single precision by {Difference(single, expected):G3} at most");

        List<float[]> Run(ModelOptions? options)
        {
            using var tiny = new TinyModel(checkpoint => (VisionLanguageModel)load.Invoke(null, [checkpoint, options])!);
            using Sequence sequence = tiny.CreateSequence();
            List<float[]> logits = tiny.Run(sequence, steps: 2);
            logits.AddRange(tiny.Run(sequence, steps: 1));
            return logits;
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
        Assert.Equal((sizeof(ushort) * text.Hidden) + sizeof(long) + (sizeof(int) * text.Layers), memory.BytesToDevice - up);
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

    [Fact]
    public void MemoryThatADeviceHasNotIsATypedError()
    {
        using DeviceMemory memory = MemoryProbe.Open(RehearsedDevice.Device.Provider);
        var error = Assert.Throws<DeviceMemoryException>(() => memory.Allocate((nuint)1 << 46));
        Assert.Equal(1L << 46, error.ByteLength);
        Assert.IsType<OrtException>(error.InnerException);
    }

    [Fact]
    public void ARunThatNeedsMoreMemoryThanThereIsIsATypedErrorToo()
    {
        ExecutionProvider provider = RehearsedDevice.Device.Provider;
        var graph = new GraphBuilder("vast");
        string x = graph.Input("x", OrtElementType.Float, 1);
        string vast = graph.Node(Operator.Expand, "vast", [x, graph.Constant(1 << 22, 1 << 22)]);
        string largest = graph.Node(Operator.ReduceMax, "largest", [vast, graph.Constant(0, 1)], NodeAttribute.Of("keepdims", 1));
        graph.Output("y", largest, OrtElementType.Float, 1, 1);
        using DeviceMemory memory = MemoryProbe.Open(provider);
        using OrtSessionOptions options = OrtSessionOptions.Create(provider);
        using OrtSession session = OrtSession.Create(graph.Build().Bytes, options);
        using var input = new DeviceTensor(memory, [1]);
        using var result = new DeviceTensor(memory, [1, 1]);
        using OrtBinding binding = OrtBinding.Create(session);
        binding.BindInput("x\0"u8, input.Value);
        binding.BindOutput("y\0"u8, result.Value);
        var error = Assert.Throws<DeviceMemoryException>(() => session.Run(binding));
        Assert.Contains("allocate memory", error.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhoeverWritesWhereACopyMayStillReadWaitsOnce()
    {
        using DeviceMemory memory = MemoryProbe.Open(RehearsedDevice.Device.Provider);
        using HostBuffer host = memory.AllocateHost(16);
        using DeviceBuffer device = memory.Allocate(16);
        host.AwaitUpload(memory);
        Assert.Equal(0, memory.Waits);
        memory.Upload(host, device, 16);
        host.AwaitUpload(memory);
        host.AwaitUpload(memory);
        Assert.Equal(1, memory.Waits);
        Assert.True(host.IsPinned);
    }

    private static float Difference(List<float[]> expected, List<float[]> found)
    {
        Assert.Equal(expected.Count, found.Count);
        float largest = 0;
        for (int step = 0; step < expected.Count; step++)
        {
            for (int i = 0; i < expected[step].Length; i++)
            {
                largest = MathF.Max(largest, MathF.Abs(expected[step][i] - found[step][i]));
            }
        }

        return largest;
    }
}

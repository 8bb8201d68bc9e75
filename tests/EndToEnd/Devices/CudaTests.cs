using System.Diagnostics;
using System.Text.RegularExpressions;
using Espalier.Graphs.Lowering;
using Espalier.OnnxRuntime;
using Espalier.Samples.Shapes.Variants;
using Espalier.Tests.Declared;
using Xunit.Abstractions;

namespace Espalier.Tests;

/// <summary>CUDA, where there is a GPU: what was only read of ONNX Runtime's sources, asked of the device. Skipped elsewhere, with the reason.</summary>
public sealed partial class CudaTests(ITestOutputHelper output)
{
    private const float HalfTolerance = 0.1f;
    private const float BFloatTolerance = 1f;

    private static readonly ModelOptions OnDevice = new() { Device = Device.Cuda, Precision = Precision.Float16 };

    // All sessions on one stream, decode steps captured: the answers would differ if runs overtook each other.
    [CudaTheory]
    [MemberData(nameof(SampleAnswer.Variants), MemberType = typeof(SampleAnswer))]
    public async Task ASampleVariantAnswersAsOnTheCpu(string variant)
    {
        using Checkpoint checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples", "models", "shapes"));
        SampleAnswer expected = await SampleAnswer.Of(variant, checkpoint, null);
        foreach ((Precision precision, float tolerance) in ((Precision, float)[])[(Precision.Float16, HalfTolerance), (Precision.BFloat16, BFloatTolerance)])
        {
            SampleAnswer found = await SampleAnswer.Of(variant, checkpoint, OnDevice with { Precision = precision });
            float difference = LogitComparison.LargestDifference(expected.Logits, found.Logits);
            output.WriteLine($"{precision}: {found.Text}, logits differ by {difference:G3} at most");
            Assert.Equal(expected.Text, found.Text);
            Assert.InRange(difference, 0, variant is nameof(CDPrunerShapes) or nameof(FoPruShapes) or nameof(RecoverableShapes) ? BFloatTolerance : tolerance);
        }
    }

    // Frozen rows are scattered into the cache in place, and the last row reads a cache to which nothing is added.
    [CudaTheory]
    [InlineData(typeof(ClipLlamaAll))]
    [InlineData(typeof(ClipLlamaFastVMeanFrozen))]
    [InlineData(typeof(ClipLlamaShortV))]
    [InlineData(typeof(ClipLlamaSimilarityText))]
    [InlineData(typeof(ClipLlamaPyramidTogether))]
    [InlineData(typeof(ClipLlamaFiCoCoLTogether))]
    [InlineData(typeof(ClipLlamaTowerAndDecoder))]
    [InlineData(typeof(ClipLlamaMergeTwice))]
    [InlineData(typeof(ClipLlamaNormTwice))]
    public void AKindOfLayerComputesWhatItDoesOnTheCpu(Type variant)
    {
        Assert.InRange(LogitComparison.LargestDifference(Run(new ModelOptions { Precision = Precision.Float16 }), Run(OnDevice)), 0, HalfTolerance);

        List<float[]> Run(ModelOptions options)
        {
            using TinyModel tiny = TinyModel.Of(variant, options);
            using Sequence sequence = tiny.CreateSequence();
            List<float[]> logits = tiny.Run(sequence, steps: 2);
            logits.AddRange(tiny.Run(sequence, steps: 1));
            return logits;
        }
    }

    [CudaFact]
    public void TheFirstStepComputesWhatItsReplayDoes()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, OnDevice));
        Assert.EndsWith("decode steps are replayed.", tiny.Model.Execution, StringComparison.Ordinal);
        using Sequence sequence = tiny.CreateSequence();

        // The first time each graph runs several times over, is captured and replayed; the second time it is replayed alone.
        List<float[]> captured = tiny.Run(sequence, steps: 4);
        List<float[]> replayed = tiny.Run(sequence, steps: 4);
        for (int step = 0; step < captured.Count; step++)
        {
            Assert.Equal(captured[step], replayed[step]);
        }

        // Another sequence has addresses of its own, and what was captured for the first stays right beside it.
        using Sequence other = tiny.CreateSequence();
        Assert.Equal(captured[^1], tiny.Run(other, steps: 4)[^1]);
        Assert.Equal(captured[^1], tiny.Run(sequence, steps: 4)[^1]);
    }

    [CudaFact]
    public void ADecodeStepWaitsOnceAndKeepsItsCacheOnTheDevice()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, OnDevice));
        using Sequence sequence = tiny.CreateSequence();
        tiny.Run(sequence, steps: 2);
        DeviceMemory memory = sequence.Pass.Memory;
        (nint keys, nint values) = sequence.Pass.Cache.TensorsOf(0);
        Assert.True(memory.Holds(keys) && memory.Holds(values));
        long waits = memory.Waits;
        Assert.Equal(StepResult.Ready, tiny.Model.Decode(sequence, 5));
        Assert.Equal(waits, memory.Waits);
        _ = sequence.Logits[0];
        Assert.Equal(waits + 1, memory.Waits);
    }

    [CudaFact]
    public void SessionsUseTheWeightsOfTheDeviceInPlace()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            using ClipLlamaDense first = ClipLlamaDense.Load(checkpoint, OnDevice);
            DeviceMemory memory = cache.Memory(Device.Cuda.Provider);
            long uploaded = memory.BytesToDevice;
            long before = memory.BytesInUse ?? 0;
            using ClipLlamaAll second = ClipLlamaAll.Load(checkpoint, OnDevice);
            output.WriteLine($"{uploaded} bytes of weights, {before} in use, {memory.BytesInUse} with a second variant");
            Assert.Equal(uploaded, memory.BytesToDevice);
            Assert.InRange((memory.BytesInUse ?? 0) - before, 0, uploaded / 10);
        }
        finally
        {
            cache.Release();
        }
    }

    [CudaFact]
    public async Task AttentionRunsInAFusedKernel()
    {
        // ONNX Runtime prints the kernel that it has chosen, where it is asked to before the process begins.
        var environment = new Dictionary<string, string?> { ["ORT_ENABLE_ATTENTION_KERNEL_DEBUG_INFO"] = "1" };
        ChildProcess device = await ChildProcess.RunDotnet(RepositoryFolder.Combine(), environment, "run", "--project", "samples/Shapes", "-c", "Release", "--", "device");
        string[] kernels = [.. KernelNames().Matches(device.Output + device.Errors).Select(static match => match.Value).Distinct()];
        Array.ForEach(kernels, output.WriteLine);
        Assert.NotEmpty(kernels);
        Assert.DoesNotContain(kernels, static kernel => kernel.Contains("MATH", StringComparison.OrdinalIgnoreCase) && kernel.Contains("GroupQueryAttention", StringComparison.Ordinal));
    }

    [CudaFact]
    public void AReplayCostsMicroseconds()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, OnDevice));
        using Sequence sequence = tiny.CreateSequence(extra: 24);
        var times = new List<double>();
        for (int round = 0; round < 20; round++)
        {
            tiny.Run(sequence, steps: 1);
            for (int step = 0; step < 20; step++)
            {
                long start = Stopwatch.GetTimestamp();
                tiny.Model.Decode(sequence, 5);
                _ = sequence.Logits[0];
                times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            }
        }

        times.Sort();
        double session = times[times.Count / 2] / (tiny.Model.LoadedPlan.Layers + 1);
        output.WriteLine($"{times[times.Count / 2]:F1} µs a step, {session:F1} µs a session");

        // Generous: the sources let a few microseconds expect, operator by operator it would be hundreds.
        Assert.InRange(session, 0, 150);
    }

    [CudaFact]
    public void StepsThatAreNotReplayedLeaveNothingBehind()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaFfnSkip.Load(checkpoint, OnDevice));
        Assert.Contains("because the row itself says", tiny.Model.Execution, StringComparison.Ordinal);
        using Sequence sequence = tiny.CreateSequence(extra: 24);
        Decode(rounds: 20);
        long before = Process.GetCurrentProcess().WorkingSet64;
        Decode(rounds: 200);
        long grown = Process.GetCurrentProcess().WorkingSet64 - before;
        output.WriteLine($"{grown} bytes grown in 4000 steps");
        Assert.InRange(grown, long.MinValue, 64 << 20);

        void Decode(int rounds)
        {
            for (int round = 0; round < rounds; round++)
            {
                tiny.Run(sequence, steps: 1);
                for (int step = 0; step < 20; step++)
                {
                    tiny.Model.Decode(sequence, 5);
                }
            }
        }
    }

    [CudaFact]
    public void MemoryThatTheGpuHasNotIsATypedError()
    {
        using DeviceMemory memory = MemoryProbe.Open(Device.Cuda.Provider);
        Assert.Throws<DeviceMemoryException>(() => memory.Allocate((nuint)1 << 46));
    }

    [GeneratedRegex("Operator=\\w+[^\\r\\n]*SdpaKernel=\\w+")]
    private static partial Regex KernelNames();
}

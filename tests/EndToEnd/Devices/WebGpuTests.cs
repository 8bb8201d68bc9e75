using System.Reflection;
using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Samples.Shapes.Variants;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>WebGPU, executed: every declared loop against the same loop on the CPU, and what goes between host and device on the way.</summary>
public sealed class WebGpuTests
{
    private static readonly ModelOptions OnDevice = new() { Device = Device.WebGpu };

    /// <summary>The declared classes of the sample, by name.</summary>
    public static TheoryData<string> Variants()
    {
        var names = new TheoryData<string>();
        foreach (Type type in Declared(typeof(DenseShapes)))
        {
            names.Add(type.Name);
        }

        return names;
    }

    [WebGpuTheory]
    [MemberData(nameof(Variants))]
    public async Task ASampleVariantAnswersAsOnTheCpu(string variant)
    {
        MethodInfo load = Declared(typeof(DenseShapes)).Single(type => type.Name == variant).GetMethod("Load", [typeof(Checkpoint), typeof(ModelOptions)])!;
        using Checkpoint checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples", "models", "shapes"));
        if (variant == nameof(AimShapes))
        {
            // PageRank counts its rows in the graph, by a cast that the provider leaves to the CPU.
            var refusal = (DeviceOperatorException)Assert.Throws<TargetInvocationException>(() => load.Invoke(null, [checkpoint, OnDevice])).InnerException!;
            Assert.Equal(["Cast"], refusal.Operators);
            return;
        }

        if (variant is nameof(YopoShapes) or nameof(LensShapes) or nameof(SepLlmShapes) or nameof(SparseVlmShapes) or nameof(SparseVlmPlusShapes) or nameof(DartShapes))
        {
            var refusal = (DevicePlanException)Assert.Throws<TargetInvocationException>(() => load.Invoke(null, [checkpoint, OnDevice])).InnerException!;
            Assert.Contains(variant[..^"Shapes".Length], refusal.Work, StringComparison.Ordinal);
            return;
        }

        (string expected, List<float[]> expectedLogits) = await Ask(null);
        (string answer, List<float[]> logits) = await Ask(OnDevice);
        Assert.Equal(expected, answer);
        AssertClose(expectedLogits, logits, 1e-3f);

        async Task<(string, List<float[]>)> Ask(ModelOptions? options)
        {
            using var model = (VisionLanguageModel)load.Invoke(null, [checkpoint, options])!;
            using Sequence sequence = model.CreateSequence(200);

            // Equal patches of a background score alike to the last bits, which differ: CDPruner chooses others of them in all pictures but this one.
            string picture = variant == nameof(CDPrunerShapes) ? "corners.png" : "pair.png";
            Imaging.DecodedImage image = Imaging.ImageDecoder.Load(RepositoryFolder.Combine("samples", "images", picture));
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

    // Kinds of layers, towers and steps that no variant of the sample has: groups of heads, frozen layers that are scored, text that leaves, merges.
    [WebGpuTheory]
    [InlineData(typeof(ClipLlamaAll))]
    [InlineData(typeof(ClipLlamaFastVMeanFrozen))]
    [InlineData(typeof(ClipLlamaSimilarityText))]
    [InlineData(typeof(ClipLlamaPyramidTogether))]
    [InlineData(typeof(ClipLlamaFiCoCoLTogether))]
    [InlineData(typeof(ClipLlamaTowerAndDecoder))]
    [InlineData(typeof(ClipLlamaMergeTwice))]
    [InlineData(typeof(ClipLlamaNormTwice))]
    public void AKindOfLayerComputesWhatItDoesOnTheCpu(Type variant)
    {
        MethodInfo load = variant.GetMethod("Load", [typeof(Checkpoint), typeof(ModelOptions)])!;
        List<float[]> expected = Run(null);
        List<float[]> found = Run(OnDevice);
        AssertClose(expected, found, 1e-3f);

        List<float[]> Run(ModelOptions? options)
        {
            using var tiny = new TinyModel(checkpoint => (VisionLanguageModel)load.Invoke(null, [checkpoint, options])!);
            using Sequence sequence = tiny.CreateSequence();
            List<float[]> logits = tiny.Run(sequence, steps: 2);

            // The second time nothing has to grow, and the prefix is there already.
            logits.AddRange(tiny.Run(sequence, steps: 1));
            return logits;
        }
    }

    [WebGpuFact]
    public void OnlyWhatTheHostWritesAndReadsCrossesOver()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, OnDevice));
        using Sequence sequence = tiny.CreateSequence();
        tiny.Run(sequence, steps: 1);
        DeviceMemory memory = sequence.Pass.Memory;
        TextGeometry text = tiny.Model.LoadedPlan.Geometry.Text;
        VisionGeometry vision = tiny.Model.LoadedPlan.Geometry.Vision;
        Assert.False(memory.IsHost);
        Assert.StartsWith("WebGPU", memory.Name, StringComparison.Ordinal);
        for (int layer = 0; layer < text.Layers; layer++)
        {
            (nint keys, nint values) = sequence.Pass.Cache.TensorsOf(layer);
            Assert.True(memory.Holds(keys) && memory.Holds(values), $"The cache of layer {layer} is not on the device.");
        }

        // A decode step: the row of the token, its position, a length for each layer; the logits come back.
        (long up, long down) = (memory.BytesToDevice, memory.BytesToHost);
        Assert.Equal(StepResult.Ready, tiny.Model.Decode(sequence, 5));
        _ = sequence.Logits[0];
        Assert.Equal((sizeof(float) * text.Hidden) + sizeof(long) + (sizeof(int) * text.Layers), memory.BytesToDevice - up);
        Assert.Equal(sizeof(float) * text.Vocabulary, memory.BytesToHost - down);

        // A prompt: pixels, the rows of its text, positions, and lengths; the logits come back. The prefix is in the cache, and the head reads row 0, as it did before.
        (up, down) = (memory.BytesToDevice, memory.BytesToHost);
        Assert.Equal(StepResult.Ready, tiny.Prefill(sequence));
        _ = sequence.Logits[0];
        int rows = tiny.Model.LoadedPlan.ImagePositions + tiny.Suffix.Length;
        long pixels = 3L * vision.ImageSize * vision.ImageSize;
        long last = tiny.Model.LoadedPlan.KindAt(text.Layers - 1) == LayerKind.Dense ? 0 : sizeof(long) * rows;
        Assert.Equal((sizeof(float) * (pixels + ((long)tiny.Suffix.Length * text.Hidden))) + (sizeof(long) * rows) + (sizeof(int) * text.Layers) + last, memory.BytesToDevice - up);
        Assert.Equal(sizeof(float) * text.Vocabulary, memory.BytesToHost - down);
    }

    [WebGpuFact]
    public void VariantsShareTheWeightsOfTheDevice()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            using ClipLlamaDense first = ClipLlamaDense.Load(checkpoint, OnDevice);
            long uploaded = cache.Memory(WebGpuExecutionProvider.Instance).BytesToDevice;
            using ClipLlamaAll second = ClipLlamaAll.Load(checkpoint, OnDevice);
            Assert.True(uploaded > 0);
            Assert.Equal(uploaded, cache.Memory(WebGpuExecutionProvider.Instance).BytesToDevice);
        }
        finally
        {
            cache.Release();
        }
    }

    [WebGpuFact]
    public void IntegerWeightsAreRefused()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        var refusal = Assert.Throws<PrecisionNotSupportedException>(() => ClipLlamaDense.Load(checkpoint, OnDevice with { Precision = Precision.Int8 }));
        Assert.Contains("WebGpuExecutionProvider", refusal.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<Type> Declared(Type sibling) => sibling.Assembly.GetTypes()
        .Where(type => type.Namespace == sibling.Namespace && type.IsSubclassOf(typeof(VisionLanguageModel)))
        .OrderBy(static type => type.Name, StringComparer.Ordinal);

    private static void AssertClose(List<float[]> expected, List<float[]> found, float tolerance)
    {
        Assert.Equal(expected.Count, found.Count);
        for (int step = 0; step < expected.Count; step++)
        {
            for (int i = 0; i < expected[step].Length; i++)
            {
                Assert.True(MathF.Abs(expected[step][i] - found[step][i]) < tolerance, $"Step {step}, token {i}: {expected[step][i]} on the CPU, {found[step][i]} on the device.");
            }
        }
    }
}

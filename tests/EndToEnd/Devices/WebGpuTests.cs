using System.Reflection;
using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Samples.Shapes.Variants;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>The sample's checkpoint, whose sessions live as long as the tests: variants share them, and a device in software takes its time to build one.</summary>
public sealed class SharedShapes : IDisposable
{
    private readonly Lazy<(Checkpoint Checkpoint, SessionCache Sessions)> _opened = new(static () =>
    {
        Checkpoint checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples", "models", "shapes"));
        return (checkpoint, checkpoint.ShareSessions());
    });

    /// <summary>The checkpoint.</summary>
    public Checkpoint Checkpoint => _opened.Value.Checkpoint;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_opened.IsValueCreated)
        {
            _opened.Value.Sessions.Release();
            _opened.Value.Checkpoint.Dispose();
        }
    }
}

/// <summary>WebGPU, executed: every declared loop against the same loop on the CPU, and what goes between host and device on the way.</summary>
public sealed class WebGpuTests(SharedShapes shapes) : IClassFixture<SharedShapes>
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
        (string expected, List<float[]> expectedLogits) = await Ask(null);
        (string answer, List<float[]> logits) = await Ask(OnDevice);
        Assert.Equal(expected, answer);
        AssertClose(expectedLogits, logits, 1e-3f);

        async Task<(string, List<float[]>)> Ask(ModelOptions? options)
        {
            using var model = (VisionLanguageModel)load.Invoke(null, [shapes.Checkpoint, options])!;
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

    // Kinds of layers, towers and steps that no variant of the sample has: groups of heads, frozen layers that are scored, raters and pivots, text that leaves, merges, heads that visual rows do without.
    [WebGpuTheory]
    [InlineData(typeof(ClipLlamaAll))]
    [InlineData(typeof(ClipLlamaFastVMeanFrozen))]
    [InlineData(typeof(ClipLlamaSimilarityText))]
    [InlineData(typeof(ClipLlamaPyramidTogether))]
    [InlineData(typeof(ClipLlamaFiCoCoLTogether))]
    [InlineData(typeof(ClipLlamaFiCoCoLColumns))]
    [InlineData(typeof(ClipLlamaTowerAndDecoder))]
    [InlineData(typeof(ClipLlamaMergeTwice))]
    [InlineData(typeof(ClipLlamaNormTwice))]
    [InlineData(typeof(ClipLlamaSparseVlmTogether))]
    [InlineData(typeof(ClipLlamaSparseVlmPlusTogether))]
    [InlineData(typeof(ClipLlamaSimilarityDart))]
    [InlineData(typeof(ClipLlamaAimTogether))]
    [InlineData(typeof(ClipLlamaYopoHeads))]
    [InlineData(typeof(ClipLlamaYopoTogether))]
    [InlineData(typeof(ClipLlamaLensTogether))]
    [InlineData(typeof(ClipLlamaSepLlmTogether))]
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

            // Another image: as many rows stay, and they are others.
            Assert.Equal(StepResult.Ready, tiny.Model.Prefill(sequence, tiny.Prefix, [.. tiny.Pixels.Reverse()], tiny.Suffix));
            logits.Add(sequence.Logits.ToArray());
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
    public void OfRatersTheirAttentionComesDownAndTheIndicesOfWhatStaysGoUp()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaSparseVlmDropped.Load(checkpoint, OnDevice));
        using Sequence sequence = tiny.CreateSequence();
        (TextGeometry text, int visual, int behind) = Shapes(tiny);
        (long up, long down) = Crossing(tiny, sequence);

        // Down: the rows that enter the decoder, which choose the raters; the raters' attention, head by head; the logits.
        long map = down - (sizeof(float) * ((long)(visual + behind) * text.Hidden)) - (sizeof(float) * text.Vocabulary);
        long rater = sizeof(float) * (long)text.Heads * (tiny.Prefix.Length + visual + behind);
        Assert.Equal(0, map % rater);
        long raters = map / rater;
        Assert.InRange(raters, 1, behind);

        // Up, beside what every prompt takes: the positions of rows that part for frozen layers, the raters, what stays, and its positions, for the rest of the layers and apart for the last one.
        int left = tiny.Model.LoadedPlan.VisualTokensAt(text.Layers - 1) + behind;
        Assert.Equal(Prompt(tiny, visual, behind) + (sizeof(long) * (visual + behind + raters + (3 * left))), up);
    }

    [WebGpuFact]
    public void OfPivotsTheNormsOfKeysAndTheRowsThatAreComparedComeDown()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDart.Load(checkpoint, OnDevice));
        using Sequence sequence = tiny.CreateSequence();
        (TextGeometry text, int visual, int behind) = Shapes(tiny);
        (long up, long down) = Crossing(tiny, sequence);
        Assert.Equal(sizeof(float) * ((long)tiny.Prefix.Length + visual + behind + ((visual + behind) * text.Hidden) + text.Vocabulary), down);
        int left = tiny.Model.LoadedPlan.VisualTokensAt(text.Layers - 1) + behind;
        Assert.Equal(Prompt(tiny, visual, behind) + (sizeof(long) * 3 * left), up);
    }

    [WebGpuFact]
    public void CachedRowsThatStayMoveOnTheDevice()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaSepLlm.Load(checkpoint, OnDevice));
        using var host = new TinyModel(static checkpoint => ClipLlamaSepLlm.Load(checkpoint));
        using Sequence sequence = tiny.CreateSequence(extra: 40);
        using Sequence expected = host.CreateSequence(extra: 40);
        tiny.Prefill(sequence);
        host.Prefill(expected);
        DeviceMemory memory = sequence.Pass.Memory;
        TextGeometry text = tiny.Model.LoadedPlan.Geometry.Text;

        // Words, and separators between them: the first step already lets text of the prompt leave.
        int evicting = 0;
        foreach (int token in (ReadOnlySpan<int>)[7, 318, 40, 105, 13, 204, 21, 265, 319, 300])
        {
            int evicted = sequence.Statistics.EvictedTextTokens;
            (long up, long down) = (memory.BytesToDevice, memory.BytesToHost);
            Assert.Equal(StepResult.Ready, tiny.Model.Decode(sequence, token));
            float[] logits = sequence.Logits.ToArray();
            host.Model.Decode(expected, token);
            AssertClose([expected.Logits.ToArray()], [logits], 1e-3f);
            Assert.Equal(expected.Statistics.EvictedTextTokens, sequence.Statistics.EvictedTextTokens);
            long stayed = 0;
            for (int layer = 0; layer < text.Layers; layer++)
            {
                Assert.Equal(expected.Pass.Cache.Length(layer), sequence.Pass.Cache.Length(layer));
                stayed += sequence.Pass.Cache.Length(layer) - 1;
            }

            // A step takes a row, a position and the lengths; where text leaves also the indices of the rows that stay. Never a row of the cache.
            bool leaves = sequence.Statistics.EvictedTextTokens > evicted;
            evicting += leaves ? 1 : 0;
            Assert.Equal((sizeof(float) * text.Hidden) + sizeof(long) + (sizeof(int) * text.Layers) + (leaves ? sizeof(long) * stayed : 0), memory.BytesToDevice - up);
            Assert.Equal(sizeof(float) * text.Vocabulary, memory.BytesToHost - down);
        }

        Assert.InRange(evicting, 2, 9);

        // Several tokens at once, and the prompt anew.
        tiny.Model.Extend(sequence, [166, 319, 204, 300, 21, 281, 7]);
        host.Model.Extend(expected, [166, 319, 204, 300, 21, 281, 7]);
        AssertClose([expected.Logits.ToArray()], [sequence.Logits.ToArray()], 1e-3f);
        AssertClose(host.Run(expected, 3), tiny.Run(sequence, 3), 1e-3f);
    }

    // Rows that are renumbered, cached rows that leave, layers that are skipped by the row; more slots than a shader has buffers.
    [WebGpuTheory]
    [InlineData(typeof(ClipLlamaPyramidTogether), 3)]
    [InlineData(typeof(ClipLlamaSepLlm), 12)]
    [InlineData(typeof(ClipLlamaSepLlmTogether), 2)]
    public void ABatchStepsAsItsSequencesDoAlone(Type variant, int slots)
    {
        const int Steps = 4;
        MethodInfo load = variant.GetMethod("Load", [typeof(Checkpoint), typeof(ModelOptions)])!;
        using var tiny = new TinyModel(checkpoint => (VisionLanguageModel)load.Invoke(null, [checkpoint, OnDevice])!);
        using Sequence alone = tiny.CreateSequence();
        using SequenceBatch batch = tiny.Model.CreateBatch(slots, alone.Capacity);
        DeviceMemory memory = alone.Pass.Memory;
        TextGeometry text = tiny.Model.LoadedPlan.Geometry.Text;
        int numberings = tiny.Model.LoadedPlan.NumberingAt(text.Layers - 1) + 1;
        var tokens = new int[slots];
        for (int slot = 0; slot < slots; slot++)
        {
            Prefill(batch[slot], slot);
            Assert.True(memory.Holds(batch[slot].Pass.Cache.TensorsOf(0).Keys));
        }

        var found = new List<float[]>[slots];
        for (int step = 0; step < Steps; step++)
        {
            // The second slot rests at first.
            for (int slot = 0; slot < slots; slot++)
            {
                tokens[slot] = slot == 1 && step == 0 ? -1 : Token(slot, step);
            }

            int evicted = Evicted();
            (long up, long down) = (memory.BytesToDevice, memory.BytesToHost);
            tiny.Model.DecodeTokens(batch, tokens, CancellationToken.None);
            if (tiny.Model.LoadedPlan.Skips is null && Evicted() == evicted)
            {
                Assert.Equal(slots * (long)((sizeof(float) * text.Hidden) + (sizeof(long) * numberings) + (sizeof(int) * text.Layers)), memory.BytesToDevice - up);
                Assert.Equal(slots * (long)sizeof(float) * text.Vocabulary, memory.BytesToHost - down);
            }

            for (int slot = 0; slot < slots; slot++)
            {
                (found[slot] ??= []).Add(batch[slot].Logits.ToArray());
            }
        }

        // The first, the one that rested, and the last.
        foreach (int slot in new HashSet<int> { 0, 1, slots - 1 })
        {
            Prefill(alone, slot);
            for (int step = 0; step < Steps; step++)
            {
                if (slot == 1 && step == 0)
                {
                    continue;
                }

                tiny.Model.Decode(alone, Token(slot, step));
                AssertClose([alone.Logits.ToArray()], [found[slot][step]], 1e-4f);
            }
        }

        void Prefill(Sequence sequence, int slot) =>
            Assert.Equal(StepResult.Ready, tiny.Model.Prefill(sequence, tiny.Prefix, tiny.Pixels, tiny.Suffix.AsSpan(0, tiny.Suffix.Length - (slot % 3))));

        int Evicted() => Enumerable.Range(0, slots).Sum(slot => batch[slot].Statistics.EvictedTextTokens);

        static int Token(int slot, int step) => step == 1 ? 318 : 7 + (31 * slot % 200) + step;
    }

    [WebGpuFact]
    public async Task ABatchAnswersOnTheDevice()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, OnDevice));
        using var host = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint));
        using SequenceBatch batch = tiny.Model.CreateBatch(2, 120);
        using Sequence sequence = host.Model.CreateSequence(120);
        string[] questions = ["what color ?", "how many are there ?", "where ?"];
        var options = new AnswerOptions { MaxNewTokens = 3 };
        var answers = new string[questions.Length];
        await foreach (BatchAnswer answer in tiny.Model.AnswerAsync(batch, questions.Select(question => new BatchQuestion(tiny.Image, question)), options))
        {
            Assert.Null(answer.Error);
            answers[answer.Index] = answer.Text;
        }

        for (int i = 0; i < questions.Length; i++)
        {
            string expected = "";
            await foreach (string text in host.Model.AnswerAsync(sequence, host.Image, questions[i], options))
            {
                expected += text;
            }

            Assert.Equal(expected, answers[i]);
        }
    }

    [WebGpuFact]
    public void ABatchOfMoreSlotsThanTheGraphsTakeIsRefused()
    {
        using var tiny = new TinyModel(static checkpoint => ClipLlamaDense.Load(checkpoint, OnDevice));
        var refusal = Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.CreateBatch(VisionLanguageModel.MaximumDeviceBatchSlots + 1, 100));
        Assert.Contains("on a device", refusal.Message, StringComparison.Ordinal);
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
    public void AnOperatorThatTheDeviceWouldLeaveToTheCpuIsRefusedByName()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            var graph = new GraphBuilder("rows.counted");
            string count = graph.Input(GraphNames.Rows, OrtElementType.Int64, "m");
            graph.Output(GraphNames.Y, graph.Node(Operator.Cast, "number", [count], NodeAttribute.Of("to", (long)OrtElementType.Float)), OrtElementType.Float, "m");
            var refusal = Assert.Throws<DeviceOperatorException>(() => cache.Build(WebGpuExecutionProvider.Instance, graph.Build()));
            Assert.Equal(["Cast"], refusal.Operators);
            Assert.Equal("rows.counted", refusal.Part);
            Assert.Contains("Device.Cpu", refusal.Message, StringComparison.Ordinal);
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

    /// <summary>The decoder, and the visual and text rows that enter it.</summary>
    private static (TextGeometry Text, int Visual, int Behind) Shapes(TinyModel tiny) =>
        (tiny.Model.LoadedPlan.Geometry.Text, tiny.Model.LoadedPlan.DecoderVisualTokens, tiny.Suffix.Length);

    /// <summary>What crosses over in a prompt whose prefix is there, up to its logits: bytes up and down.</summary>
    private static (long Up, long Down) Crossing(TinyModel tiny, Sequence sequence)
    {
        tiny.Run(sequence, steps: 1);
        DeviceMemory memory = sequence.Pass.Memory;
        (long up, long down) = (memory.BytesToDevice, memory.BytesToHost);
        Assert.Equal(StepResult.Ready, tiny.Prefill(sequence));
        _ = sequence.Logits[0];
        return (memory.BytesToDevice - up, memory.BytesToHost - down);
    }

    /// <summary>Bytes that every prompt takes up: pixels, the rows of its text, the positions of all rows, and a length a layer.</summary>
    private static long Prompt(TinyModel tiny, int visual, int behind)
    {
        ModelGeometry geometry = tiny.Model.LoadedPlan.Geometry;
        long pixels = 3L * geometry.Vision.ImageSize * geometry.Vision.ImageSize;
        return (sizeof(float) * (pixels + ((long)behind * geometry.Text.Hidden))) + (sizeof(long) * (visual + behind)) + (sizeof(int) * geometry.Text.Layers);
    }

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

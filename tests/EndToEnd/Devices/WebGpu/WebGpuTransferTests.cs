using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>What goes between host and device: where the cache lies, and every byte that crosses over.</summary>
[Collection(WebGpuCollection.Name)]
public sealed class WebGpuTransferTests(WebGpuSessions sessions)
{
    [WebGpuFact]
    public void OnlyWhatTheHostWritesAndReadsCrossesOver()
    {
        using TinyModel tiny = sessions.Load(typeof(ClipLlamaDense));
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

        // A decode step: the row of the token, its position, the length of the caches, which is that of all layers; the logits come back.
        (long up, long down) = (memory.BytesToDevice, memory.BytesToHost);
        Assert.Equal(StepResult.Ready, tiny.Model.Decode(sequence, 5));
        _ = sequence.Logits[0];
        Assert.Equal((sizeof(float) * text.Hidden) + sizeof(long) + sizeof(int), memory.BytesToDevice - up);
        Assert.Equal(sizeof(float) * text.Vocabulary, memory.BytesToHost - down);

        // A prompt: pixels, the rows of its text, positions, and the length; the logits come back. The prefix is in the cache, and the head reads row 0, as it did before.
        (up, down) = (memory.BytesToDevice, memory.BytesToHost);
        Assert.Equal(StepResult.Ready, tiny.Prefill(sequence));
        _ = sequence.Logits[0];
        int rows = tiny.Model.LoadedPlan.ImagePositions + tiny.Suffix.Length;
        long pixels = 3L * vision.ImageSize * vision.ImageSize;
        long last = tiny.Model.LoadedPlan.KindAt(text.Layers - 1) == LayerKind.Dense ? 0 : sizeof(long) * rows;
        Assert.Equal((sizeof(float) * (pixels + ((long)tiny.Suffix.Length * text.Hidden))) + (sizeof(long) * rows) + sizeof(int) + last, memory.BytesToDevice - up);
        Assert.Equal(sizeof(float) * text.Vocabulary, memory.BytesToHost - down);
    }

    [WebGpuFact]
    public void OfRatersTheirAttentionComesDownAndTheIndicesOfWhatStaysGoUp()
    {
        using TinyModel tiny = sessions.Load(typeof(ClipLlamaSparseVlmDropped));
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
        Assert.Equal(Prompt(tiny, sequence, visual, behind) + (sizeof(long) * (visual + behind + raters + (3 * left))), up);
    }

    [WebGpuFact]
    public void OfPivotsTheNormsOfKeysAndTheRowsThatAreComparedComeDown()
    {
        using TinyModel tiny = sessions.Load(typeof(ClipLlamaDart));
        using Sequence sequence = tiny.CreateSequence();
        (TextGeometry text, int visual, int behind) = Shapes(tiny);
        (long up, long down) = Crossing(tiny, sequence);
        Assert.Equal(sizeof(float) * ((long)tiny.Prefix.Length + visual + behind + ((visual + behind) * text.Hidden) + text.Vocabulary), down);
        int left = tiny.Model.LoadedPlan.VisualTokensAt(text.Layers - 1) + behind;
        Assert.Equal(Prompt(tiny, sequence, visual, behind) + (sizeof(long) * 3 * left), up);
    }

    [WebGpuFact]
    public void CachedRowsThatStayMoveOnTheDevice()
    {
        using TinyModel tiny = sessions.Load(typeof(ClipLlamaSepLlm));
        using TinyModel host = TinyModel.Of(typeof(ClipLlamaSepLlm), shared: sessions.Tiny);
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
            LogitComparison.AssertClose([expected.Logits.ToArray()], [logits], 1e-3f);
            Assert.Equal(expected.Statistics.EvictedTextTokens, sequence.Statistics.EvictedTextTokens);
            long stayed = 0;
            for (int layer = 0; layer < text.Layers; layer++)
            {
                Assert.Equal(expected.Pass.Cache.Length(layer), sequence.Pass.Cache.Length(layer));
                stayed += sequence.Pass.Cache.Length(layer) - 1;
            }

            // A step takes a row, a position and the length; where text leaves also the indices of the rows that stay. Never a row of the cache.
            bool leaves = sequence.Statistics.EvictedTextTokens > evicted;
            evicting += leaves ? 1 : 0;
            Assert.Equal((sizeof(float) * text.Hidden) + sizeof(long) + CacheLengths.BytesOf(sequence, text.Layers) + (leaves ? sizeof(long) * stayed : 0), memory.BytesToDevice - up);
            Assert.Equal(sizeof(float) * text.Vocabulary, memory.BytesToHost - down);
        }

        Assert.InRange(evicting, 2, 9);

        // Several tokens at once, and the prompt anew.
        tiny.Model.Extend(sequence, [166, 319, 204, 300, 21, 281, 7]);
        host.Model.Extend(expected, [166, 319, 204, 300, 21, 281, 7]);
        LogitComparison.AssertClose([expected.Logits.ToArray()], [sequence.Logits.ToArray()], 1e-3f);
        LogitComparison.AssertClose(host.Run(expected, 3), tiny.Run(sequence, 3), 1e-3f);
    }

    [WebGpuFact]
    public void APrefixThatAnotherSequenceRanIsCopiedOnTheDevice()
    {
        using TinyModel tiny = sessions.Load(typeof(ClipLlamaAll));
        TextGeometry text = tiny.Model.LoadedPlan.Geometry.Text;
        (long up, long down, float[] logits) = Measure(extra: 16, tiny.Prefix, cached: 0);

        // Another sequence, of another capacity: what the prefix took is not taken again. Its rows, their positions, its length.
        (long upAgain, long downAgain, float[] logitsAgain) = Measure(extra: 40, tiny.Prefix, cached: tiny.Prefix.Length);
        Assert.Equal((((sizeof(float) * text.Hidden) + sizeof(long)) * tiny.Prefix.Length) + sizeof(int), up - upAgain);
        Assert.Equal(down, downAgain);
        Assert.Equal(logits, logitsAgain);

        // The last prefix is remembered, and no other.
        Measure(extra: 16, tiny.Prefix[..^1], cached: 0);
        Measure(extra: 16, tiny.Prefix, cached: 0);

        (long Up, long Down, float[] Logits) Measure(int extra, int[] prefix, int cached)
        {
            using Sequence sequence = tiny.CreateSequence(extra);
            DeviceMemory memory = sequence.Pass.Memory;
            (long up, long down) = (memory.BytesToDevice, memory.BytesToHost);
            Assert.Equal(StepResult.Ready, tiny.Model.Prefill(sequence, prefix, tiny.Pixels, tiny.Suffix));
            float[] logits = sequence.Logits.ToArray();
            Assert.Equal(cached, sequence.Statistics.CachedPromptTokens);
            return (memory.BytesToDevice - up, memory.BytesToHost - down, logits);
        }
    }

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

    /// <summary>Bytes that every prompt takes up: pixels, the rows of its text, the positions of all rows, and the lengths of the caches.</summary>
    private static long Prompt(TinyModel tiny, Sequence sequence, int visual, int behind)
    {
        ModelGeometry geometry = tiny.Model.LoadedPlan.Geometry;
        long pixels = 3L * geometry.Vision.ImageSize * geometry.Vision.ImageSize;
        return (sizeof(float) * (pixels + ((long)behind * geometry.Text.Hidden))) + (sizeof(long) * (visual + behind)) + CacheLengths.BytesOf(sequence, geometry.Text.Layers);
    }
}

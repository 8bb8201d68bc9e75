using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Prefill and decode allocate nothing managed once a shape has been seen. NativeAOT is asked the same by samples/NativeAnswer --check.</summary>
public sealed class AllocationTests(QuantisedFolder folder) : IClassFixture<QuantisedFolder>
{
    [Theory]
    [InlineData("dense", Precision.Float32)]
    [InlineData("all", Precision.Float32)]
    [InlineData("random", Precision.Float32)]
    [InlineData("norm", Precision.Float32)]
    [InlineData("mean", Precision.Float32)]
    [InlineData("pyramid", Precision.Float32)]
    [InlineData("merge", Precision.Float32)]
    [InlineData("raters", Precision.Float32)]
    [InlineData("raters", Precision.Int8)]
    [InlineData("corrected", Precision.Float32)]
    [InlineData("victor", Precision.Float32)]
    [InlineData("gated", Precision.Float32)]
    [InlineData("gated", Precision.Int8)]
    [InlineData("halves", Precision.Float32)]
    [InlineData("softmax halves", Precision.Float32)]
    [InlineData("halves", Precision.Int8)]
    [InlineData("skipping", Precision.Float32)]
    [InlineData("skipping", Precision.Int8PrefillInt4Decode)]
    [InlineData("evicting", Precision.Float32)]
    [InlineData("merged", Precision.Float32)]
    [InlineData("ranked", Precision.Float32)]
    [InlineData("ranked", Precision.Int8)]
    [InlineData("pivots", Precision.Float32)]
    [InlineData("gathered", Precision.Float32)]
    [InlineData("tower", Precision.Float32)]
    [InlineData("tome", Precision.Float32)]
    [InlineData("tower", Precision.Int8)]
    [InlineData("relevant", Precision.Float32)]
    [InlineData("neighbours", Precision.Int8)]
    [InlineData("recovered", Precision.Float32)]
    [InlineData("matrices", Precision.Float32)]
    [InlineData("matrices", Precision.Int8)]
    [InlineData("ahead", Precision.Float32)]
    [InlineData("ahead", Precision.Int8)]
    [InlineData("recovered", Precision.Int8)]
    [InlineData("all", Precision.Int8)]
    [InlineData("all", Precision.Int4)]
    [InlineData("all", Precision.Int8PrefillInt4Decode)]
    [InlineData("merged", Precision.Int8)]
    [InlineData("pyramid", Precision.Int8)]
    [InlineData("mean", Precision.Int4)]
    [InlineData("partial", Precision.Float32)]
    [InlineData("probed", Precision.Float32)]
    [InlineData("around", Precision.Int8)]
    public void PrefillAndDecodeAllocateNothing(string variant, Precision precision)
    {
        ModelOptions options = folder.Options(precision);
        using var tiny = new TinyModel(variant switch
        {
            "dense" => c => ClipLlamaDense.Load(c, options),
            "random" => c => ClipLlamaRandom.Load(c, options),
            "pyramid" => c => ClipLlamaPyramidTogether.Load(c, options),
            "gated" => c => ClipLlamaDyVtePruned.Load(c, options),
            "victor" => c => ClipLlamaVictorTogether.Load(c, options),
            "mean" => c => ClipLlamaFastVMeanFrozen.Load(c, options),
            "halves" => c => ClipLlamaFiCoCoLTogether.Load(c, options),
            "softmax halves" => c => ClipLlamaFiCoCoLColumns.Load(c, options),
            "evicting" => c => ClipLlamaSepLlm.Load(c, options),
            "skipping" => c => ClipLlamaFfnSkipTogether.Load(c, options),
            "merge" => c => ClipLlamaMergeTwice.Load(c, options),
            "raters" => c => ClipLlamaSparseVlm.Load(c, options),
            "corrected" => c => ClipLlamaSparseVlmPlusTogether.Load(c, options),
            "norm" => c => ClipLlamaNormTwice.Load(c, options),
            "merged" => c => ClipLlamaVisionAndDecoder.Load(c, options),
            "tower" => c => ClipLlamaTowerAndDecoder.Load(c, options),
            "pivots" => c => ClipLlamaDart.Load(c, options),
            "ranked" => c => ClipLlamaAim.Load(c, options),
            "tome" => c => ClipLlamaToMe.Load(c, options),
            "relevant" => c => ClipLlamaSimilarityCDPruner.Load(c, options),
            "neighbours" => c => ClipLlamaPruMerge.Load(c, options),
            "recovered" => c => ClipLlamaRecoverable.Load(c, options),
            "matrices" => c => ClipLlamaPruneAndMergeLearned.Load(c, options),
            "ahead" => c => ClipLlamaElipAhead.Load(c, options),
            "gathered" => c => ClipLlamaKeptPositions.Load(c, options),
            "partial" => c => ClipLlamaYopoTogether.Load(c, options),
            "probed" => c => ClipLlamaLensTogether.Load(c, options),
            "around" => c => ClipLlamaYopoAround.Load(c, options),
            _ => c => ClipLlamaAll.Load(c, options),
        });
        using Sequence sequence = tiny.CreateSequence();
        Round(tiny, sequence);
        Round(tiny, sequence);

        AssertQuiet(20, () => Round(tiny, sequence));
    }

    [Theory]
    [InlineData("similarity")]
    [InlineData("text")]
    [InlineData("stages")]
    [InlineData("rank")]
    [InlineData("shorter text")]
    [InlineData("neighbours")]
    [InlineData("recovered")]
    [InlineData("ranked")]
    [InlineData("partial")]
    [InlineData("pivots")]
    public void AnImageOfAnotherCountAllocatesNothingEither(string variant)
    {
        using var tiny = new TinyModel(variant switch
        {
            "text" => static c => ClipLlamaSimilarityText.Load(c),
            "pivots" => static c => ClipLlamaSimilarityDart.Load(c),
            "ranked" => static c => ClipLlamaSimilarityAim.Load(c),
            "neighbours" => static c => ClipLlamaPruMergePlus.Load(c),
            "recovered" => static c => ClipLlamaRecoverableSteps.Load(c),
            "stages" => static c => ClipLlamaSimilarityBend.Load(c),
            "partial" => static c => ClipLlamaSimilarityPartial.Load(c),
            "rank" => static c => ClipLlamaSparseVlmRank.Load(c),
            "shorter text" => static c => ClipLlamaSparseVlmShorterText.Load(c),
            _ => static c => ClipLlamaSimilarity.Load(c),
        });
        using Sequence scout = tiny.CreateSequence();
        float[][] images = [.. Enumerable.Range(0, 30).Select(seed => Noise(tiny.Pixels.Length, seed)).OrderBy(image => Count(tiny, scout, image))];
        int[] counts = [.. images.Select(image => Count(tiny, scout, image)).Distinct()];
        Assert.True(counts.Length > 3, "The images differ too little.");

        // Only the image with the fewest rows has been seen when counting begins; so it is for each new sequence.
        var allocated = new List<long>();
        do
        {
            using Sequence sequence = tiny.CreateSequence();
            RoundOf(tiny, sequence, images[0]);
            RoundOf(tiny, sequence, images[0]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            foreach (float[] image in images)
            {
                RoundOf(tiny, sequence, image);
            }

            allocated.Add(GC.GetAllocatedBytesForCurrentThread() - before);
        }
        while (allocated[^1] > 0 && allocated.Count < 5);

        Assert.True(allocated[^1] == 0, $"Each of {allocated.Count} sequences allocated over the images: {string.Join(", ", allocated)} bytes.");
    }

    /// <summary>Requires so many rounds one after the other that allocate nothing, among five times as many.</summary>
    /// <remarks>What a round allocates, it allocates in every round. The runtime itself may allocate on this thread once, when it replaces code or makes room in a cache of its own: that round is no proof of anything, and the count begins anew.</remarks>
    private static void AssertQuiet(int rounds, Action round)
    {
        var allocated = new long[5 * rounds];
        int quiet = 0;
        for (int i = 0; i < allocated.Length && quiet < rounds; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            round();
            allocated[i] = GC.GetAllocatedBytesForCurrentThread() - before;
            quiet = allocated[i] == 0 ? quiet + 1 : 0;
        }

        Assert.True(quiet == rounds, "Rounds allocated: " + string.Join(", ", allocated.Select(static (bytes, i) => (bytes, i)).Where(static one => one.bytes > 0).Select(static one => $"round {one.i} {one.bytes} bytes")));
    }

    private static int Count(TinyModel tiny, Sequence sequence, float[] image)
    {
        // Rows in all caches: they tell text rows that leave, too.
        RoundOf(tiny, sequence, image);
        return Enumerable.Range(0, tiny.Checkpoint.Geometry.Text.Layers).Sum(sequence.Pass.Cache.Length);
    }

    private static float[] Noise(int length, int seed)
    {
        // More or less contrast, so that the counts differ.
        var random = new Random(seed);
        var pixels = new float[length];
        for (int i = 0; i < length; i++)
        {
            pixels[i] = (random.NextSingle() - 0.5f) * (1 + (seed % 7));
        }

        return pixels;
    }

    private static void RoundOf(TinyModel tiny, Sequence sequence, float[] pixels)
    {
        tiny.Model.Prefill(sequence, tiny.Prefix, pixels, tiny.Suffix);
        for (int i = 0; i < 4; i++)
        {
            tiny.Model.Decode(sequence, Sampler.Greedy(sequence.Logits));
        }
    }

    [Fact]
    public void SamplingAllocatesNothing()
    {
        var sampler = new Sampler(1000);
        var logits = new float[1000];
        new Random(7).NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(logits.AsSpan()));
        for (int i = 0; i < logits.Length; i++)
        {
            logits[i] = float.IsFinite(logits[i]) ? logits[i] % 10 : 0;
        }

        var options = new AnswerOptions { Temperature = 0.7f, TopP = 0.9f };
        sampler.Next(logits, options);
        AssertQuiet(100, () => sampler.Next(logits, options));
    }

    private static void Round(TinyModel tiny, Sequence sequence)
    {
        tiny.Prefill(sequence);
        for (int i = 0; i < 4; i++)
        {
            tiny.Model.Decode(sequence, Sampler.Greedy(sequence.Logits));
        }
    }
}

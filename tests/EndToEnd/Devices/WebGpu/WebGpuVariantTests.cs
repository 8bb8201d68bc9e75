using Espalier.Samples.Shapes.Variants;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>WebGPU, executed: every declared loop against the same loop on the CPU.</summary>
[Collection(WebGpuCollection.Name)]
public sealed class WebGpuVariantTests(WebGpuSessions sessions)
{
    private const float Tolerance = 1e-3f;

    [WebGpuTheory]
    [MemberData(nameof(SampleAnswer.Variants), MemberType = typeof(SampleAnswer))]
    public async Task ASampleVariantAnswersAsOnTheCpu(string variant)
    {
        // Equal patches of a background score alike to the last bits, which differ: CDPruner chooses others of them in all pictures but this one.
        string picture = variant == nameof(CDPrunerShapes) ? "corners.png" : "pair.png";
        SampleAnswer expected = await SampleAnswer.Of(variant, sessions.Shapes, null, picture);
        SampleAnswer found = await SampleAnswer.Of(variant, sessions.Shapes, WebGpuSessions.OnDevice, picture);
        Assert.Equal(expected.Text, found.Text);
        LogitComparison.AssertClose(expected.Logits, found.Logits, Tolerance);
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
        LogitComparison.AssertClose(Run(TinyModel.Of(variant, shared: sessions.Tiny)), Run(sessions.Load(variant)), Tolerance);

        static List<float[]> Run(TinyModel loaded)
        {
            using TinyModel tiny = loaded;
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
}

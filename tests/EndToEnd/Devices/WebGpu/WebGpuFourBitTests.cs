using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Tests.Declared;
using Xunit.Abstractions;

namespace Espalier.Tests;

/// <summary>Four-bit weights on WebGPU: the products, and whole models against the values of their weights in single precision on the CPU. The sample is left out: in software, four bits take minutes.</summary>
[Collection(WebGpuCollection.Name)]
public sealed class WebGpuFourBitTests(WebGpuSessions sessions, QuantisedFolder folder, ITestOutputHelper output) : IClassFixture<QuantisedFolder>
{
    [WebGpuFact]
    public void TheProductsAreRightAndTheProbeSaysSo()
    {
        SessionCache cache = sessions.Tiny.ShareSessions();
        try
        {
            Assert.True(cache.IsExact(WebGpuExecutionProvider.Instance, Int4Blocks.Instance));
            Assert.False(cache.IsExact(WebGpuExecutionProvider.Instance, Int8PerToken.Signed));
        }
        finally
        {
            cache.Release();
        }
    }

    // A layer that is scored, frozen ones, merges, learned layers of Victor's own file, caches that lose rows.
    [WebGpuTheory]
    [InlineData(typeof(ClipLlamaDense))]
    [InlineData(typeof(ClipLlamaFastVMeanFrozen))]
    [InlineData(typeof(ClipLlamaMergeTwice))]
    [InlineData(typeof(ClipLlamaVictor))]
    [InlineData(typeof(ClipLlamaSepLlm))]
    public void ModelsComputeWhatTheValuesOfTheirWeightsDo(Type variant)
    {
        using var copies = new FourBitCopies();
        using Checkpoint rounded = copies.Open();
        List<float[]> expected = Run(TinyModel.Of(variant, shared: rounded));
        List<float[]> found = Run(TinyModel.Of(variant, folder.Options(Precision.Int4) with { Device = Device.WebGpu }, sessions.Tiny));
        output.WriteLine($"{variant.Name}: {LogitComparison.LargestDifference(expected, found):G3}");
        LogitComparison.AssertClose(expected, found, 1e-3f);

        static List<float[]> Run(TinyModel loaded)
        {
            using TinyModel tiny = loaded;
            using Sequence sequence = tiny.CreateSequence();
            return tiny.Run(sequence, steps: 2);
        }
    }

    [WebGpuFact]
    public void VariantsShareTheWeightsOfTheDevice()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            ModelOptions options = folder.Options(Precision.Int4) with { Device = Device.WebGpu };
            using ClipLlamaDense first = ClipLlamaDense.Load(checkpoint, options);
            long uploaded = cache.Memory(WebGpuExecutionProvider.Instance).BytesToDevice;
            using ClipLlamaAll second = ClipLlamaAll.Load(checkpoint, options);
            Assert.Equal(uploaded, cache.Memory(WebGpuExecutionProvider.Instance).BytesToDevice);
        }
        finally
        {
            cache.Release();
        }
    }
}

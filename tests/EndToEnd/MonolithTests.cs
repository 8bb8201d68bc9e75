using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>The dense variant, layer by layer, against one session that holds the whole decoder.</summary>
/// <remarks>Decode steps, which read all that the prefill left in the caches of all layers, give the same bits. The first logits do not: the variant's last layer computes one row in place of all, by products
/// of another shape, which add up in another order. In int8 they also quantise another set of rows together, for the last layer's cache too.</remarks>
public sealed class MonolithTests(QuantisedFolder folder) : IClassFixture<QuantisedFolder>
{
    [Theory]
    [InlineData(Precision.Float32, 1e-6)]
    [InlineData(Precision.Int8, 0.03)]
    [InlineData(Precision.Int4, 1e-6)]
    public void TheDenseVariantEqualsOneWholeModelSession(Precision precision, double lastLayer)
    {
        ModelOptions options = folder.Options(precision);
        using var tiny = new TinyModel(c => ClipLlamaDense.Load(c, options));
        using Sequence sequence = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(sequence, 4);

        SessionCache sessions = tiny.Checkpoint.ShareSessions();
        try
        {
            // The model has put its quantised weights where every session of the checkpoint finds them.
            TextGeometry text = tiny.Checkpoint.Geometry.Text;
            LinearFormat format = PrecisionFormats.For(precision, options.Device.Provider).Decoder;
            using var monolith = new MonolithDecoder(sessions, format, text, tiny.Checkpoint.HeadTensorName, new EmbeddingTable(tiny.Checkpoint), sequence.Capacity);
            monolith.Append(tiny.Prefix);
            Span<float> rows = monolith.Load(ClipLlamaDense.Plan.Geometry.VisualTokens + tiny.Suffix.Length);
            int visual = Encode(sessions, tiny, options, rows);
            new EmbeddingTable(tiny.Checkpoint).Read(tiny.Suffix, rows[visual..]);
            monolith.Run();
            Assert.All(expected[0].Zip(monolith.Logits.ToArray()), pair => Assert.Equal(pair.First, pair.Second, lastLayer));
            for (int step = 1; step < expected.Count; step++)
            {
                monolith.Append(Sampler.Greedy(expected[step - 1]));
                double tolerance = precision == Precision.Int8 ? lastLayer : 0;
                Assert.All(expected[step].Zip(monolith.Logits.ToArray()), pair => Assert.Equal(pair.First, pair.Second, tolerance));
            }
        }
        finally
        {
            sessions.Release();
        }
    }

    /// <summary>The projected rows of the image.</summary>
    /// <returns>How many numbers they are.</returns>
    private static int Encode(SessionCache cache, TinyModel tiny, ModelOptions options, Span<float> rows)
    {
        var sessions = new ModelSessions(cache, ClipLlamaDense.Plan, options);
        using var tower = new WholeTower(sessions, scores: null);
        using var projector = new ProjectorBinding(sessions, tower.Features, step: null);
        tiny.Pixels.CopyTo(tower.Pixels);
        tower.Run();
        using OrtValue projected = OrtValue.Allocate([1, ClipLlamaDense.Plan.Geometry.VisualTokens, tiny.Checkpoint.Geometry.Text.Hidden], OrtElementType.Float);
        using var lease = new HandleLease(projected);
        projector.WriteInto(lease.Pointer);
        projected.AsSpan<float>().CopyTo(rows);
        return projected.AsSpan<float>().Length;
    }
}

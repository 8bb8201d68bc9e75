using System.Text.Json;
using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>What a plan saves is not computed: the products that ONNX Runtime says it ran, session by session, are those that the plan counts.</summary>
[Collection(nameof(TracedRuns))]
public sealed class ExecutedFlopsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("dense")]
    [InlineData("all")]
    [InlineData("pyramid")]
    [InlineData("norm")]
    [InlineData("victor")]
    [InlineData("aim")]
    [InlineData("halves")]
    [InlineData("halves and others")]
    [InlineData("softmax halves")]
    [InlineData("merge")]
    [InlineData("tower and halves")]
    [InlineData("partial")]
    [InlineData("neurons")]
    [InlineData("heads")]
    [InlineData("probed")]
    public void EveryLayerRunsTheProductsThatThePlanCounts(string variant)
    {
        var options = new ModelOptions { TraceFolder = _folder.Path };
        ReductionPlan plan;
        int text;
        using (var tiny = new TinyModel(variant switch
        {
            "dense" => c => ClipLlamaDense.Load(c, options),
            "pyramid" => c => ClipLlamaPyramidTogether.Load(c, options),
            "victor" => c => ClipLlamaVictorTogether.Load(c, options),
            "aim" => c => ClipLlamaAim.Load(c, options),
            "halves" => c => ClipLlamaFiCoCoL.Load(c, options),
            "halves and others" => c => ClipLlamaFiCoCoLTogether.Load(c, options),
            "softmax halves" => c => ClipLlamaFiCoCoLColumns.Load(c, options),
            "merge" => c => ClipLlamaMergeTwice.Load(c, options),
            "tower and halves" => c => ClipLlamaFiCoCoVL.Load(c, options),
            "norm" => c => ClipLlamaNormTwice.Load(c, options),
            "partial" => c => ClipLlamaYopoTogether.Load(c, options),
            "neurons" => c => ClipLlamaYopoNeurons.Load(c, options),
            "heads" => c => ClipLlamaYopoHeads.Load(c, options),
            "probed" => c => ClipLlamaLensTogether.Load(c, options),
            _ => c => ClipLlamaAll.Load(c, options),
        }))
        {
            using Sequence sequence = tiny.CreateSequence();
            tiny.Model.Prefill(sequence, [], tiny.Pixels, tiny.Suffix);
            plan = tiny.Model.LoadedPlan;
            text = tiny.Suffix.Length;
        }

        double executed = 0;
        for (int layer = 0; layer < plan.Layers; layer++)
        {
            Assert.Equal(Counted(plan, layer, text), Executed(layer));
            executed += Executed(layer) + Attention(plan, layer, text);
        }

        Assert.Equal(executed, plan.ExecutedFlops(FlopsConvention.C, text), executed * 1e-12);
    }

    [Fact]
    public void AFolderThatDoesNotExistIsNamed()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        Assert.Contains("nowhere", Assert.Throws<DirectoryNotFoundException>(() => ClipLlamaDense.Load(checkpoint, new ModelOptions { TraceFolder = _folder["nowhere"] })).Message, StringComparison.Ordinal);
    }

    /// <summary>Convention C without attention, whose products have no weights. Of the last layer only one row goes on, in every plan, and no convention counts that.</summary>
    private static double Counted(ReductionPlan plan, int layer, int text)
    {
        TextGeometry geometry = plan.Geometry.Text;
        int rows = text + plan.Registers;
        if (plan.PartialAt(layer) is { } work && layer < plan.Layers - 1)
        {
            return CountedPartial(plan.Geometry, work, rows, plan.VisualTokensAt(layer));
        }

        var (updated, read) = Rows(plan, layer, text);

        // Rows that leave between the halves of a layer pass its attention and not its feed-forward layer.
        double fed = updated - (plan.StepInside(layer) is { } inside ? inside.TokensBefore - inside.TokensAfter : 0);
        double linear = 2.0 * geometry.Hidden * ((2.0 * updated * geometry.QueryWidth) + (3.0 * fed * geometry.Intermediate) + (2.0 * read * geometry.KeyValueWidth));
        if (layer < plan.Layers - 1)
        {
            Segment segment = plan.Segments.Single(segment => segment.FirstLayer <= layer && layer <= segment.LastLayer);
            Assert.Equal(plan.Flops(FlopsConvention.C, segment with { FirstLayer = layer, LastLayer = layer }, text), linear + Attention(plan, layer, text));
        }

        return linear;
    }

    /// <summary>The same for a layer in which visual rows do less, told a second time.</summary>
    private static double CountedPartial(ModelGeometry model, PartialWork work, int text, int visual)
    {
        TextGeometry geometry = model.Text;
        double heads = geometry.Heads - work.DroppedHeads.Count;
        double neurons = work.Choice == NeuronChoice.All ? geometry.Intermediate : work.Neurons;
        double perText = (2.0 * geometry.QueryWidth) + (3.0 * geometry.Intermediate);
        double perVisual = (2.0 * heads * geometry.HeadDim) + (3.0 * neurons);
        double perRow = 2.0 * geometry.KeyValueWidth;
        double perProbe = work.Choice == NeuronChoice.Probed ? 2.0 * geometry.Intermediate : 0;
        double probes = work.ProbeStride == 0 ? 0 : Math.Ceiling(visual / (double)work.ProbeStride);
        double linear = 2.0 * geometry.Hidden * ((text * perText) + (visual * perVisual) + ((text + visual) * perRow) + (probes * perProbe));
        Assert.Equal(CostModel.PartialLayerFlops(model, FlopsConvention.C, work, text, visual), linear + PartialAttention(model, work, text, visual));
        return linear;
    }

    private static double PartialAttention(ModelGeometry model, PartialWork work, int text, int visual)
    {
        double keys = text + work.KeysRead(visual, model.Vision.GridSize);
        return 4.0 * ((text * (double)(text + visual) * model.Text.QueryWidth) + (visual * keys * (model.Text.Heads - work.DroppedHeads.Count) * model.Text.HeadDim));
    }

    private static double Attention(ReductionPlan plan, int layer, int text)
    {
        var (updated, read) = Rows(plan, layer, text);
        return plan.PartialAt(layer) is { } work && layer < plan.Layers - 1
            ? PartialAttention(plan.Geometry, work, text + plan.Registers, plan.VisualTokensAt(layer))
            : 4.0 * updated * read * plan.Geometry.Text.QueryWidth;
    }

    private static (double Updated, double Read) Rows(ReductionPlan plan, int layer, int text) =>
        (layer == plan.Layers - 1 ? 1 : plan.RowsAt(layer, text), text + plan.Registers + plan.VisualTokensAt(layer));

    /// <summary>Twice the multiplications of the linear layers that the sessions of a decoder layer ran, the second halves among them.</summary>
    private double Executed(int layer)
    {
        double flops = 0;
        foreach (string file in (string[])[.. Directory.GetFiles(_folder.Path, $"DecoderLayer-{layer}-*.json"), .. Directory.GetFiles(_folder.Path, $"FeedForward-{layer}_*.json")])
        {
            using JsonDocument trace = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement ran in trace.RootElement.EnumerateArray())
            {
                if (ran.GetProperty("cat").GetString() == "Node" && ran.GetProperty("args").TryGetProperty("op_name", out JsonElement name) && name.GetString() == "FusedMatMul")
                {
                    long[][] inputs = Shapes(ran, "input_type_shape");

                    // A packed weight is no input any more, and an unpacked one has two dimensions; the keys that a score is computed from have four.
                    bool isLinear = inputs.Length == 1 || inputs[1].Length == 2;
                    flops += isLinear ? 2.0 * inputs[0][^1] * Shapes(ran, "output_type_shape")[0].Aggregate(1L, static (product, size) => product * size) : 0;
                }
            }
        }

        return flops;
    }

    private static long[][] Shapes(JsonElement ran, string which) =>
        [.. ran.GetProperty("args").GetProperty(which).EnumerateArray().Select(static value => value.EnumerateObject().First().Value.EnumerateArray().Select(static size => size.GetInt64()).ToArray())];
}

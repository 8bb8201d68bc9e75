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
    [InlineData("recycling")]
    [InlineData("corrected")]
    [InlineData("key norms")]
    [InlineData("registers and neighbours")]
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
            "recycling" => c => ClipLlamaSparseVlm.Load(c, options),
            "corrected" => c => ClipLlamaSparseVlmPlusTogether.Load(c, options),
            "key norms" => c => ClipLlamaDart.Load(c, options),
            "registers and neighbours" => c => ClipLlamaVictorPartial.Load(c, options),
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

    [Theory]
    [InlineData("dense")]
    [InlineData("similar keys")]
    [InlineData("redundant")]
    [InlineData("ahead")]
    [InlineData("one layer ahead")]
    [InlineData("static matrices")]
    public void TheTowerRunsTheProductsThatThePlanCounts(string variant)
    {
        var options = new ModelOptions { TraceFolder = _folder.Path };
        ReductionPlan plan;
        using (var tiny = new TinyModel(variant switch
        {
            "similar keys" => c => ClipLlamaToMe.Load(c, options),
            "redundant" => c => ClipLlamaFiCoCoV.Load(c, options),
            "ahead" => c => ClipLlamaElip.Load(c, options),
            "one layer ahead" => c => ClipLlamaElipNear.Load(c, options),
            "static matrices" => c => ClipLlamaPruneAndMerge.Load(c, options),
            _ => c => ClipLlamaDense.Load(c, options),
        }))
        {
            using Sequence sequence = tiny.CreateSequence();
            tiny.Prefill(sequence);
            plan = tiny.Model.LoadedPlan;
        }

        var (linear, attention) = CountedTower(plan);
        Assert.Equal(plan.TowerFlops(FlopsConvention.C), linear + attention, 1e-3);
        Assert.Equal(linear, ExecutedTower());
        Assert.Equal(variant == "dense", plan.TowerFlops(FlopsConvention.C) == plan.DenseTowerFlops(FlopsConvention.C));
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

    /// <summary>Convention C of the tower, told a second time: its linear layers with the products of static matrices, and its attention.</summary>
    private static (double Linear, double Attention) CountedTower(ReductionPlan plan)
    {
        VisionGeometry vision = plan.Geometry.Vision;
        double linear = 0;
        double attention = 0;
        int others = vision.Tokens - plan.Geometry.VisualTokens;
        foreach (TowerRun run in plan.TowerRuns())
        {
            int rows = run.VisualTokens + others;
            TowerReduction? tower = run.Step?.Tower;
            if (tower is { IsAhead: true })
            {
                // Of the last that runs ahead queries and keys alone.
                for (int ahead = tower.Ahead[run.FirstLayer - tower.FirstLayer]; ahead > 1; ahead--)
                {
                    Layer(rows, rows);
                }

                linear += 4.0 * rows * vision.Hidden * vision.Hidden;
                rows -= tower.Leaving[run.FirstLayer - tower.FirstLayer];
            }

            for (int layer = run.FirstLayer; layer <= run.LastLayer; layer++)
            {
                if (run.MergedInto > 0)
                {
                    linear += 4.0 * run.VisualTokens * run.MergedInto * vision.Hidden;
                    Layer(run.MergedInto + others, run.MergedInto + others);
                    continue;
                }

                int left = rows - (tower is { IsAhead: false } ? tower.Leaving[layer - run.FirstLayer] : 0);
                Layer(rows, left);
                rows = left;
            }
        }

        return (linear, attention);

        void Layer(int rows, int left)
        {
            linear += (8.0 * rows * vision.Hidden * vision.Hidden) + (4.0 * left * vision.Hidden * vision.Intermediate);
            attention += 4.0 * rows * rows * vision.Hidden;
        }
    }

    /// <summary>Twice the multiplications that the sessions of the tower ran of these.</summary>
    private double ExecutedTower()
    {
        double flops = 0;
        foreach (string file in Directory.GetFiles(_folder.Path, "*.json"))
        {
            using JsonDocument trace = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement ran in trace.RootElement.EnumerateArray())
            {
                string name = ran.GetProperty("name").GetString()!;
                if (ran.GetProperty("cat").GetString() == "Node" && name.StartsWith("vision.layers.", StringComparison.Ordinal) && ran.GetProperty("args").TryGetProperty("op_name", out JsonElement op) && op.GetString() == "FusedMatMul"
                    && (name.EndsWith(".product_kernel_time", StringComparison.Ordinal) || name.EndsWith(".merged.rows_kernel_time", StringComparison.Ordinal) || name.EndsWith(".merged.recovered_kernel_time", StringComparison.Ordinal)))
                {
                    flops += 2.0 * Shapes(ran, "input_type_shape")[0][^1] * Shapes(ran, "output_type_shape")[0].Aggregate(1L, static (product, size) => product * size);
                }
            }
        }

        return flops;
    }

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

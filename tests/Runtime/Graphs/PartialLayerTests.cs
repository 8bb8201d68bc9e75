using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>Layers in which visual rows do less, against the definition in doubles: several blocks of rows, with and without a prefix, of whole and of pruned images.</summary>
public sealed class PartialLayerTests
{
    private const int Grid = 9;

    public static TheoryData<string, string, int, int> Cases()
    {
        var data = new TheoryData<string, string, int, int>();
        string[] works = ["near", "around", "itself", "before", "first", "probed", "heads", "group", "no-heads", "all"];
        foreach (string geometry in (string[])[nameof(TestGeometries.Llama), nameof(TestGeometries.Qwen2), nameof(TestGeometries.Grouped)])
        {
            foreach (string work in works)
            {
                data.Add(geometry, work, 3, Grid * Grid);
            }
        }

        // No prefix, an image of few tokens, one that fills its blocks.
        foreach (string work in works)
        {
            data.Add(nameof(TestGeometries.Qwen2), work, 0, 50);
            data.Add(nameof(TestGeometries.Llama), work, 2, 1);
            data.Add(nameof(TestGeometries.Qwen2), work, 1, 64);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void VisualRowsLeaveOutWhatTheWorkLeavesOut(string name, string work, int prefixRows, int visualRows)
    {
        TextGeometry geometry = TestGeometries.Text(name) with { MaxPositions = 256 };
        PartialWork partial = Work(work, geometry);
        int[] tokens = Tokens(visualRows);
        var random = new Random(visualRows + prefixRows);
        var weights = new TestWeights(31, geometry);
        var (reference, expected) = (new ReferenceDecoder(geometry, weights), new ReferenceCache());
        double[][] prefix = Reference.RandomRows(random, prefixRows, geometry.Hidden);
        double[][] x = Reference.RandomRows(random, visualRows + 4, geometry.Hidden);
        long[] positions = [.. tokens.Select(token => (long)prefixRows + token), .. Enumerable.Range(0, 4).Select(row => (long)(prefixRows + (Grid * Grid) + row))];
        reference.Layer(1, prefix, Positions(prefixRows), expected);
        double[][] wanted = reference.Layer(1, x, positions, expected, Less(partial, tokens), out double[] wantedScore);

        using var cache = new TestCache(geometry, prefixRows + visualRows + 8);
        if (prefixRows > 0)
        {
            using var dense = new LayerBench(geometry, 1, LayerKind.Dense, weights);
            dense.Run(prefix, Positions(prefixRows), cache);
        }

        using var bench = new PartialBench(geometry, Grid, partial, weights);
        Reference.AssertClose(wanted, bench.Run(x, positions, tokens, cache, out float[] score));
        Reference.AssertClose(wantedScore, score, 1e-5);
        cache.AssertEqual(expected);
    }

    /// <summary>Where nothing is left out the layer is the dense one: the same rows, caches and scores, to the last bit.</summary>
    [Theory]
    [InlineData(nameof(TestGeometries.Llama), false)]
    [InlineData(nameof(TestGeometries.Qwen2), false)]
    [InlineData(nameof(TestGeometries.Grouped), false)]
    [InlineData(nameof(TestGeometries.Llama), true)]
    [InlineData(nameof(TestGeometries.Qwen2), true)]
    [InlineData(nameof(TestGeometries.Grouped), true)]
    public void NothingLeftOutIsTheDenseLayer(string name, bool asksForAllNeurons)
    {
        const int PrefixRows = 3;
        TextGeometry geometry = TestGeometries.Text(name) with { MaxPositions = 256 };
        PartialWork whole = asksForAllNeurons ? new(Choice: NeuronChoice.First, Neurons: geometry.Intermediate) : new();
        var random = new Random(5);
        var weights = new TestWeights(31, geometry);
        double[][] prefix = Reference.RandomRows(random, PrefixRows, geometry.Hidden);
        int[] tokens = Tokens(Grid * Grid);
        double[][] x = Reference.RandomRows(random, tokens.Length + 4, geometry.Hidden);
        long[] positions = [.. Enumerable.Range(PrefixRows, x.Length).Select(static row => (long)row)];

        using var denseCache = new TestCache(geometry, PrefixRows + x.Length + 8);
        using var partialCache = new TestCache(geometry, PrefixRows + x.Length + 8);
        using (var before = new LayerBench(geometry, 1, LayerKind.Dense, weights))
        {
            before.Run(prefix, Positions(PrefixRows), denseCache);
            before.Run(prefix, Positions(PrefixRows), partialCache);
        }

        using var dense = new LayerBench(geometry, 1, LayerKind.Scored, weights);
        using var partial = new PartialBench(geometry, Grid, whole, weights);
        Assert.Equal(dense.Run(x, positions, denseCache, out float[] expected), partial.Run(x, positions, tokens, partialCache, out float[] score));
        Assert.Equal(expected, score);
        Assert.Equal(denseCache.Key.Floats, partialCache.Key.Floats);
        Assert.Equal(denseCache.Value.Floats, partialCache.Value.Floats);
    }

    private static PartialWork Work(string name, TextGeometry geometry) => name switch
    {
        "near" => new(VisualReach.Neighbours, Distance: 2),
        "around" => new(VisualReach.NeighboursAround, Distance: 1),
        "itself" => new(VisualReach.Neighbours, Distance: 0, NeuronChoice.First, Neurons: 1),
        "before" => new(VisualReach.Preceding, Distance: 11),
        "first" => new(Choice: NeuronChoice.First, Neurons: geometry.Intermediate / 3),
        "probed" => new(Choice: NeuronChoice.Probed, Neurons: geometry.Intermediate / 5, ProbeStride: 10),
        "heads" => new(DroppedHeads: EquatableArray.Of(0, geometry.Heads - 1)),
        "group" => new(VisualReach.Preceding, Distance: 5, DroppedHeads: geometry.KeyValueHeads == 1 ? EquatableArray.Of(1, 3) : Enumerable.Range(0, geometry.Heads / geometry.KeyValueHeads).ToEquatableArray()),
        "no-heads" => new(Choice: NeuronChoice.First, Neurons: 7, DroppedHeads: Enumerable.Range(0, geometry.Heads).ToEquatableArray()),
        _ => new(VisualReach.Neighbours, Distance: 1, NeuronChoice.Probed, Neurons: 9, ProbeStride: 3, EquatableArray.Of(1)),
    };

    /// <summary>The whole image, or an ascending part of it.</summary>
    private static int[] Tokens(int visualRows) => [.. Enumerable.Range(0, Grid * Grid).OrderBy(token => (token * 7919) % 83).Take(visualRows).Order()];

    private static long[] Positions(int rows) => [.. Enumerable.Range(0, rows).Select(static row => (long)row)];

    private static ReferenceLess Less(PartialWork work, int[] tokens) => new(
        tokens.Length,
        (row, key) => work.Reach switch
        {
            VisualReach.All => key <= row,
            VisualReach.Preceding => key <= row && row - key <= work.Distance,
            _ => Math.Abs((tokens[row] / Grid) - (tokens[key] / Grid)) <= work.Distance && Math.Abs((tokens[row] % Grid) - (tokens[key] % Grid)) <= work.Distance
                && (work.Reach == VisualReach.NeighboursAround || key <= row),
        },
        [.. work.DroppedHeads],
        activated =>
        {
            double[] magnitudes = [.. Enumerable.Range(0, activated[0].Length).Select(neuron => work.Choice switch
            {
                NeuronChoice.First => -neuron,
                NeuronChoice.Probed => Enumerable.Range(0, tokens.Length).Where(row => row % work.ProbeStride == 0).Average(row => Math.Abs(activated[row][neuron])),
                _ => 0,
            })];
            int count = work.Choice == NeuronChoice.All ? magnitudes.Length : work.Neurons;
            var used = new bool[magnitudes.Length];
            foreach (int neuron in Enumerable.Range(0, magnitudes.Length).OrderByDescending(neuron => magnitudes[neuron]).ThenBy(static neuron => neuron).Take(count))
            {
                used[neuron] = true;
            }

            return used;
        });
}

/// <summary>Runs one partial layer on a cache, with what the runtime writes for it.</summary>
internal sealed class PartialBench : IDisposable
{
    private readonly TextGeometry _geometry;
    private readonly PartialWork _work;
    private readonly GraphSession _session;
    private readonly PartialInputs _inputs;

    public PartialBench(TextGeometry geometry, int grid, PartialWork work, TestWeights weights)
    {
        (_geometry, _work) = (geometry, work);
        _session = new GraphSession(DecoderLayerGraph.Build(geometry, 1, LayerKind.PartialScored, LinearFormat.Float32, work), weights);
        var vision = new VisionGeometry(VisionFamily.Siglip, Layers: 1, FeatureLayers: 1, Hidden: 8, Intermediate: 8, Heads: 1, ImageSize: grid, PatchSize: 1, 1e-6f, Activation.GeluTanh, KeepsCls: false);
        var model = new ModelGeometry("llava", vision, geometry, ImageTokenId: 1, Activation.Gelu);

        // No plan has a partial layer that leaves nothing out; memory for one that does is enough for it.
        PartialWork planned = work.IsWhole || work.Neurons == geometry.Intermediate ? new PartialWork(Choice: NeuronChoice.First, Neurons: 1) : work;
        _inputs = new PartialInputs(new ReductionPlan(model, [new Segment(0, geometry.Layers - 1, LayerMode.Partial, grid * grid, planned)], []), DeviceMemory.Host);
    }

    public float[] Run(double[][] x, long[] positions, int[] tokens, TestCache cache, out float[] score)
    {
        int start = cache.Rows;
        cache.Rows += x.Length;
        using var rows = NativeTensor.Of(Reference.Flatten(x), 1, x.Length, _geometry.Hidden);
        using var at = NativeTensor.Of(positions, 1, positions.Length);
        using var last = NativeTensor.Of(cache.Rows - 1);
        using var total = NativeTensor.Of((int)cache.Key.Shape[2]);
        using var keyRows = NativeTensor.Of([(long)cache.Rows], 1);
        using var visualStart = NativeTensor.Of([(long)start], 1);
        using var y = NativeTensor.Empty(1, x.Length, _geometry.Hidden);
        using var scores = NativeTensor.Empty(cache.Rows);
        using (var binding = new LayerBinding(_session.Session))
        {
            _inputs.Bind(binding, _work, tokens, x.Length - tokens.Length, start);
            binding.Binding.BindInput("x\0"u8, rows.Value);
            binding.Binding.BindInput("positions\0"u8, at.Value);
            binding.Binding.BindInput("past_key\0"u8, cache.Key.Value);
            binding.Binding.BindInput("past_value\0"u8, cache.Value.Value);
            binding.Binding.BindInput("seqlens_k\0"u8, last.Value);
            binding.Binding.BindInput("total\0"u8, total.Value);
            binding.Binding.BindInput("key_rows\0"u8, keyRows.Value);
            binding.Binding.BindOutput("y\0"u8, y.Value);
            binding.Binding.BindOutput("score\0"u8, scores.Value);
            binding.Binding.BindOutput("present_key\0"u8, cache.Key.Value);
            binding.Binding.BindOutput("present_value\0"u8, cache.Value.Value);
            if (_work.AttendsApart)
            {
                binding.Binding.BindInput("visual_start\0"u8, visualStart.Value);
                binding.Binding.BindOutput("scattered_key\0"u8, cache.Key.Value);
                binding.Binding.BindOutput("scattered_value\0"u8, cache.Value.Value);
            }

            binding.Run();
        }

        score = scores.Floats.ToArray();
        return y.Floats.ToArray();
    }

    public void Dispose()
    {
        _inputs.Dispose();
        _session.Dispose();
    }
}

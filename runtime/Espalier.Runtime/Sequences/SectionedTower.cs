using System.Numerics.Tensors;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>A vision tower that runs in sections, between which tokens leave, bound for one sequence. How many rows each section has is known from the plan, so everything but the merges is bound once.</summary>
/// <remarks>Rows go back and forth between two buffers. Who calls sees to the order. Not thread-safe.</remarks>
internal sealed class SectionedTower : TowerBinding
{
    private readonly int _cls;
    private readonly int _hidden;
    private readonly DeviceMemory _memory;
    private readonly OrtElementType _rowType;
    private readonly TensorMemory[] _buffers;
    private readonly List<HeldTensor> _rows = [];
    private readonly List<DeviceTensor> _read = [];
    private readonly LayerBinding _embed;
    private readonly LayerBinding _absorb;
    private readonly LayerBinding?[] _whole;
    private readonly ReducedTowerLayer?[] _reduced;
    private readonly TowerRun?[] _runs;
    private readonly MergeBuffers _merge;
    private readonly float[] _sizes;
    private int _buffer;

    public SectionedTower(TowerSessions sessions, ReductionPlan plan, DeviceMemory memory, OrtElementType rowType)
        : base(plan.Geometry.Vision, plan.TowerVisualTokens, scores: null, memory, rowType)
    {
        _rowType = rowType;
        _memory = memory;
        _merge = new MergeBuffers(memory);
        VisionGeometry vision = plan.Geometry.Vision;
        _cls = vision.Tokens - plan.Geometry.VisualTokens;
        _hidden = vision.Hidden;
        nuint bytes = rowType.Bytes([vision.Tokens, _hidden]);
        _buffers = [new TensorMemory(memory, bytes, rowType), new TensorMemory(memory, bytes, rowType)];
        _whole = new LayerBinding?[vision.FeatureLayers];
        _reduced = new ReducedTowerLayer?[vision.FeatureLayers];
        _runs = new TowerRun?[vision.FeatureLayers];
        _sizes = new float[vision.Tokens];
        _absorb = new LayerBinding(sessions.Absorb);
        _embed = new LayerBinding(sessions.Embed);
        _embed.Binding.BindInput("pixels\0"u8, PixelValue);
        nint rows = Rows(vision.Tokens);
        _embed.Binding.BindOutput("y\0"u8, rows);
        foreach (TowerRun run in plan.TowerRuns())
        {
            _runs[run.FirstLayer] = run;
            rows = run.Step is null ? BindWhole(sessions, vision, run, rows, run.VisualTokens)
                : run.Step.Tower!.IsAhead ? BindAhead(sessions, vision, run, rows)
                : BindReduced(sessions, vision, run, rows);
        }
    }

    /// <summary>The patches that each row stands for, CLS included; as long as there are rows.</summary>
    public Span<float> Sizes(int tokens) => _sizes.AsSpan(0, tokens + _cls);

    /// <summary>What a layer that reduces has to know; null for a whole one.</summary>
    public ReducedTowerLayer? Reduced(int layer) => (uint)layer < (uint)_reduced.Length ? _reduced[layer] : null;

    /// <summary>The run of whole or merged layers that begins here; null if none does.</summary>
    public TowerRun? WholeFrom(int layer) => (uint)layer < (uint)_whole.Length && _whole[layer] is not null ? _runs[layer] : null;

    /// <summary>Pixels to rows.</summary>
    public void Embed()
    {
        _sizes.AsSpan().Fill(1);
        UploadPixels();
        _embed.Run();
    }

    /// <summary>A run of whole layers.</summary>
    public void RunWhole(int firstLayer)
    {
        _whole[firstLayer]!.Run();
        MarkWritten();
    }

    /// <summary>The second half of a layer that reduces.</summary>
    public void RunFeedForward(int layer)
    {
        _reduced[layer]!.FeedForward!.Run();
        MarkWritten();
    }

    /// <summary>The first half of a layer.</summary>
    public void Attend(ReducedTowerLayer layer)
    {
        if (layer.LogSizes is { } logSizes)
        {
            TensorPrimitives.Log<float>(_sizes.AsSpan(0, layer.Rows), logSizes.Span<float>());
            logSizes.Upload();
        }

        layer.Ahead?.Run();
        layer.Attention.Run();
        layer.Map?.MarkWritten();
        layer.Keys?.MarkWritten();
        layer.ClsAttention?.MarkWritten();
    }

    /// <summary>Memory for the merge in a layer.</summary>
    public RowMerge BeginMerge(ReducedTowerLayer layer) => _merge.Begin(layer.Rows - _cls - layer.Leaving, layer.Leaving, textRows: 0, leadingRows: _cls);

    /// <summary>True if a merge is the one that was begun last.</summary>
    public bool Owns(RowMerge merge) => _merge.Owns(merge);

    /// <summary>Merges the rows behind the attention of a layer.</summary>
    public void Absorb(ReducedTowerLayer layer)
    {
        if (layer.Leaving == 0)
        {
            return;
        }

        _absorb.BindInput("x\0"u8, layer.Residual);
        _merge.Bind(_absorb);
        _absorb.BindOutput("y\0"u8, layer.Merged);
        _absorb.Run();
    }

    public override void Dispose()
    {
        _embed.Dispose();
        _absorb.Dispose();
        foreach (LayerBinding? whole in _whole)
        {
            whole?.Dispose();
        }

        foreach (ReducedTowerLayer? layer in _reduced)
        {
            layer?.Ahead?.Dispose();
            layer?.Attention.Dispose();
            layer?.FeedForward?.Dispose();
        }

        _merge.Dispose();
        _rows.ForEach(static tensor => tensor.Dispose());
        _read.ForEach(static tensor => tensor.Dispose());
        foreach (TensorMemory buffer in _buffers)
        {
            buffer.Dispose();
        }

        base.Dispose();
    }

    private nint BindWhole(TowerSessions sessions, VisionGeometry vision, TowerRun run, nint rows, int tokens)
    {
        var binding = new LayerBinding(sessions.Whole(run.FirstLayer));
        _whole[run.FirstLayer] = binding;
        binding.Binding.BindInput("x\0"u8, rows);
        return BindEnd(binding, vision, run.LastLayer, tokens + _cls);
    }

    private nint BindAhead(TowerSessions sessions, VisionGeometry vision, TowerRun run, nint rows)
    {
        TowerReduction tower = run.Step!.Tower!;
        int leaving = tower.Leaving[run.FirstLayer - tower.FirstLayer];
        int count = run.VisualTokens + _cls;
        nint seen = rows;
        LayerBinding? ahead = null;
        if (sessions.Ahead(run.FirstLayer) is { } whole)
        {
            // What runs ahead is read before anything is merged, so it takes the buffer that the merge writes.
            ahead = new LayerBinding(whole);
            ReadOnlySpan<long> shape = [1, count, _hidden];
            seen = _buffers[1 - _buffer].CreateTensor(_rowType.Bytes(shape), shape, _rowType);
            _rows.Add(new HeldTensor(seen));
            ahead.Binding.BindInput("x\0"u8, rows);
            ahead.Binding.BindOutput("y\0"u8, seen);
        }

        var attention = new LayerBinding(sessions.Attention(run.FirstLayer));
        DeviceTensor scores = Own([run.VisualTokens]);
        attention.Binding.BindInput("x\0"u8, seen);
        attention.Binding.BindOutput("cls_attention\0"u8, scores.Value);
        nint merged = Rows(count - leaving);
        _reduced[run.FirstLayer] = new ReducedTowerLayer(
            run.FirstLayer, count, leaving, run.LastLayer == tower.LastLayer, attention, FeedForward: null, rows, merged, Map: null, Keys: null, LogSizes: null, ahead, scores, tower.Ahead[run.FirstLayer - tower.FirstLayer]);
        return BindWhole(sessions, vision, run, merged, run.VisualTokens - leaving);
    }

    private nint BindReduced(TowerSessions sessions, VisionGeometry vision, TowerRun run, nint rows)
    {
        TowerReduction tower = run.Step!.Tower!;
        int count = run.VisualTokens + _cls;
        for (int layer = run.FirstLayer; layer <= run.LastLayer; layer++)
        {
            int leaving = tower.Leaving[layer - run.FirstLayer];
            var attention = new LayerBinding(sessions.Attention(layer));
            nint residual = Rows(count);
            DeviceTensor? map = (tower.Reads & (TowerReads.Logits | TowerReads.Probabilities)) == 0 ? null : Own([count, count]);
            DeviceTensor? keys = tower.Reads.HasFlag(TowerReads.Keys) ? Own([count, vision.HeadDim]) : null;
            DeviceTensor? logSizes = tower.IsProportional ? Own([count]) : null;
            attention.Binding.BindInput("x\0"u8, rows);
            attention.Binding.BindOutput("y\0"u8, residual);
            if (map is not null)
            {
                attention.Binding.BindOutput("map\0"u8, map.Value);
            }

            if (keys is not null)
            {
                attention.Binding.BindOutput("keys\0"u8, keys.Value);
            }

            if (logSizes is not null)
            {
                attention.BindInput("log_sizes\0"u8, logSizes.Value);
            }

            nint merged = leaving == 0 ? residual : Rows(count - leaving);
            var feedForward = new LayerBinding(sessions.FeedForward(layer));
            feedForward.Binding.BindInput("x\0"u8, merged);
            _reduced[layer] = new ReducedTowerLayer(layer, count, leaving, layer == run.LastLayer, attention, feedForward, residual, merged, map, keys, logSizes);
            count -= leaving;
            rows = BindEnd(feedForward, vision, layer, count);
        }

        return rows;
    }

    /// <summary>Binds where a section writes: the next rows, or the features.</summary>
    private nint BindEnd(LayerBinding binding, VisionGeometry vision, int lastLayer, int count)
    {
        if (lastLayer == vision.FeatureLayers - 1)
        {
            binding.Binding.BindOutput("features\0"u8, Features);
            return Features;
        }

        nint rows = Rows(count);
        binding.Binding.BindOutput("y\0"u8, rows);
        return rows;
    }

    /// <summary>Rows in the buffer that was not written last.</summary>
    private nint Rows(int count)
    {
        _buffer = 1 - _buffer;
        ReadOnlySpan<long> shape = [1, count, _hidden];
        nint rows = _buffers[_buffer].CreateTensor(_rowType.Bytes(shape), shape, _rowType);
        _rows.Add(new HeldTensor(rows));
        return rows;
    }

    private DeviceTensor Own(ReadOnlySpan<long> shape)
    {
        var tensor = new DeviceTensor(_memory, shape);
        _read.Add(tensor);
        return tensor;
    }
}

/// <summary>One tower layer between whose halves tokens leave, or before which they do.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Rows">Rows of its attention, CLS included.</param>
/// <param name="Leaving">Tokens that leave.</param>
/// <param name="EndsStep">True if it is the last layer of its step.</param>
/// <param name="Attention">The first half, or what reads the attention of the last layer that runs ahead.</param>
/// <param name="FeedForward">The second half; null where tokens leave before the layer.</param>
/// <param name="Residual">What the first half writes.</param>
/// <param name="Merged">What the second half reads.</param>
/// <param name="Map">The products or the attention, if the step reads them.</param>
/// <param name="Keys">The keys, if the step reads them.</param>
/// <param name="LogSizes">The logarithms of the sizes, if the attention is proportional.</param>
/// <param name="Ahead">The whole layers that run ahead; null if there are none.</param>
/// <param name="ClsAttention">What the CLS row pays to the others, if the step looks ahead.</param>
/// <param name="LayersAhead">The layers that run ahead, the one included whose attention is read; 0 if the step does not look ahead.</param>
internal sealed record ReducedTowerLayer(
    int Layer,
    int Rows,
    int Leaving,
    bool EndsStep,
    LayerBinding Attention,
    LayerBinding? FeedForward,
    nint Residual,
    nint Merged,
    DeviceTensor? Map,
    DeviceTensor? Keys,
    DeviceTensor? LogSizes,
    LayerBinding? Ahead = null,
    DeviceTensor? ClsAttention = null,
    int LayersAhead = 0);

using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The vision tower, bound for one sequence: pixels in, features and perhaps scores out.</summary>
/// <remarks>Not thread-safe.</remarks>
internal abstract class TowerBinding : IDisposable
{
    private readonly DeviceTensor _pixels;
    private readonly DeviceTensor _features;
    private readonly DeviceTensor? _clsAttention;
    private readonly DeviceTensor? _keys;

    /// <summary>Allocates what every tower reads and writes.</summary>
    /// <param name="vision">The tower.</param>
    /// <param name="tokens">Visual tokens that come out.</param>
    /// <param name="scores">The scores that come out, with the CLS row of the features; null if none do.</param>
    /// <param name="memory">Where the tower reads and writes.</param>
    /// <param name="rows">The type of its rows.</param>
    protected TowerBinding(VisionGeometry vision, int tokens, TowerScores? scores, DeviceMemory memory, OrtElementType rows)
    {
        PixelCount = 3 * vision.ImageSize * vision.ImageSize;
        RowCount = tokens + (scores is not null ? vision.Tokens - vision.FeatureTokens : 0);
        _pixels = new DeviceTensor(memory, [1, 3, vision.ImageSize, vision.ImageSize]);
        _features = new DeviceTensor(memory, [1, RowCount, vision.Hidden], rows);
        if (scores is not null)
        {
            _clsAttention = new DeviceTensor(memory, [tokens]);
            _keys = new DeviceTensor(memory, [tokens, ScoredVisionGraph.KeyWidth(vision, scores)]);
        }
    }

    public int PixelCount { get; }

    /// <summary>Rows that come out; with the CLS row if the tower is scored.</summary>
    public int RowCount { get; }

    public nint Features => _features.Value;

    public Span<float> Pixels => _pixels.Span<float>();

    public ReadOnlySpan<float> FeatureValues => _features.Read<float>();

    public ReadOnlySpan<float> ClsAttention => _clsAttention!.Read<float>();

    public ReadOnlySpan<float> Keys => _keys!.Read<float>();

    protected nint PixelValue => _pixels.Value;

    public virtual void Dispose()
    {
        _pixels.Dispose();
        _features.Dispose();
        _clsAttention?.Dispose();
        _keys?.Dispose();
    }

    /// <summary>Hands the pixels to the device.</summary>
    protected void UploadPixels() => _pixels.Upload();

    /// <summary>Says that a run has written what comes out.</summary>
    protected void MarkWritten()
    {
        _features.MarkWritten();
        _clsAttention?.MarkWritten();
        _keys?.MarkWritten();
    }

    /// <summary>Binds the scores to the session that hands them out.</summary>
    protected void BindScores(LayerBinding binding)
    {
        binding.Binding.BindOutput("cls_attention\0"u8, _clsAttention!.Value);
        binding.Binding.BindOutput("keys\0"u8, _keys!.Value);
    }
}

/// <summary>A vision tower that runs in one piece.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class WholeTower : TowerBinding
{
    private readonly LayerBinding _tower;

    public WholeTower(ModelSessions sessions, TowerScores? scores)
        : base(sessions.Geometry.Vision, sessions.Geometry.VisualTokens, scores, sessions.Memory, sessions.Rows)
    {
        _tower = new LayerBinding(sessions.Vision!);
        _tower.Binding.BindInput("pixels\0"u8, PixelValue);
        _tower.Binding.BindOutput("features\0"u8, Features);
        if (scores is not null)
        {
            BindScores(_tower);
        }
    }

    public void Run()
    {
        UploadPixels();
        _tower.Run();
        MarkWritten();
    }

    public override void Dispose()
    {
        _tower.Dispose();
        base.Dispose();
    }
}

/// <summary>The small graph that gathers or mixes features, bound for one sequence. Its buffers hold as many tokens as the plan's step leaves at most.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class FeatureReduction : IDisposable
{
    private readonly LayerBinding _graph;
    private readonly RowTensor _reduced;
    private readonly RowTensor _choice;
    private readonly bool _merges;
    private readonly int _offset;

    public FeatureReduction(OrtSession session, TowerBinding tower, VisionGeometry vision, Step step, DeviceMemory memory, OrtElementType rows)
    {
        _merges = step.Compress != Compress.Drop;

        // Visual tokens are counted from the first patch, rows of a scored tower from its CLS row.
        _offset = tower.RowCount - step.TokensBefore;
        _reduced = RowTensor.Hidden(vision.Hidden, memory, rows);
        _choice = _merges ? RowTensor.Hidden(tower.RowCount, memory) : RowTensor.Indices(memory);
        _reduced.Reserve(step.TokensAfter);
        _choice.Reserve(step.TokensAfter);
        _graph = new LayerBinding(session);
        _graph.Binding.BindInput("x\0"u8, tower.Features);
    }

    /// <summary>The features that are left: <c>[1, tokens, hidden]</c>.</summary>
    public nint Value => _reduced.Value;

    /// <summary>The weights of a merge into so many tokens at most, all zero: a row a merged token, a column a row of the tower.</summary>
    public Span<float> Weights(int tokens)
    {
        _choice.Resize(tokens);
        Span<float> weights = _choice.Span<float>();
        weights.Clear();
        return weights;
    }

    /// <summary>The first rows of the weights, as the kernel filled them.</summary>
    public ReadOnlySpan<float> WeightsOf(int tokens) => _choice.Span<float>()[..(tokens * _choice.Width)];

    /// <summary>Gathers the kept visual tokens.</summary>
    public void Gather(ReadOnlySpan<int> kept)
    {
        _choice.Resize(kept.Length);
        Span<long> rows = _choice.Span<long>();
        for (int i = 0; i < kept.Length; i++)
        {
            rows[i] = kept[i] + _offset;
        }

        Run("rows\0"u8, kept.Length);
    }

    /// <summary>Mixes the features by the first rows of the weights.</summary>
    public void Merge(int tokens)
    {
        _choice.Resize(tokens);
        Run("weights\0"u8, tokens);
    }

    public void Dispose()
    {
        _graph.Dispose();
        _reduced.Dispose();
        _choice.Dispose();
    }

    private void Run(ReadOnlySpan<byte> choice, int tokens)
    {
        // Bound for every run: the count may be another.
        _reduced.Resize(tokens);
        _choice.Upload();
        _graph.BindInput(choice, _choice.Value);
        _graph.BindOutput("y\0"u8, _reduced.Value);
        _graph.Run();
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Final norm and head over one row, bound for one sequence.</summary>
/// <remarks>
/// Logits that callers read lie in managed memory, pinned for sessions to write to: a span over it keeps it, whatever becomes of the sequence. Native memory would go with a
/// sequence that nobody refers to any more while its logits are still read. Not thread-safe.
/// </remarks>
internal sealed unsafe class PassHead : IDisposable
{
    private readonly LayerBinding _head;
    private readonly DeviceTensor _row;
    private readonly DeviceTensor? _remote;
    private readonly float[]? _owned;
    private readonly nint _logits;
    private readonly HeldTensor _logitsTensor;
    private readonly int _vocabulary;
    private bool _isBehind;
    private readonly LayerBinding? _replayed;
    private readonly DeviceTensor? _firstRow;
    private int _boundRow = -1;
    private bool _isReplayBound;

    /// <summary>Binds the head.</summary>
    /// <param name="sessions">The sessions.</param>
    /// <param name="logits">Where the logits go, in memory of the host; 0 for memory of its own. What a device computes is copied there.</param>
    public PassHead(ModelSessions sessions, nint logits = 0)
    {
        _vocabulary = sessions.Geometry.Text.Vocabulary;
        _head = new LayerBinding(sessions.Head);
        _row = new DeviceTensor(sessions.Memory, [1], OrtElementType.Int64);
        _owned = logits == 0 ? GC.AllocateArray<float>(_vocabulary, pinned: true) : null;
        _remote = !sessions.Memory.IsHost ? new DeviceTensor(sessions.Memory, [1, 1, _vocabulary]) : null;
        _logits = _owned is null ? logits : (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_owned));
        _logitsTensor = new HeldTensor(_remote is null ? OrtRaw.CreateTensor(_logits, (nuint)_vocabulary * sizeof(float), [1, 1, _vocabulary], OrtElementType.Float) : 0);
        _head.BindInput("row\0"u8, _row.Value);
        _head.BindOutput("logits\0"u8, _remote?.Value ?? _logitsTensor.Value);
        if (sessions.DecodeHead is { } replayed)
        {
            _firstRow = new DeviceTensor(sessions.Memory, [1], OrtElementType.Int64);
            _firstRow.Span<long>()[0] = 0;
            _firstRow.Upload();
            _replayed = new LayerBinding(replayed);
            _replayed.BindInput("row\0"u8, _firstRow.Value);
            _replayed.BindOutput("logits\0"u8, _remote?.Value ?? _logitsTensor.Value);
        }
    }

    /// <summary>One logit a token of the vocabulary, as the last <see cref="Run"/> left them.</summary>
    public ReadOnlySpan<float> Logits
    {
        get
        {
            if (_isBehind)
            {
                Fetch();
            }

            return _owned is null ? new ReadOnlySpan<float>((void*)_logits, _vocabulary) : _owned;
        }
    }

    /// <summary>Computes the logits of one row.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="row">Which of them.</param>
    /// <param name="options">How the run is asked for.</param>
    public void Run(RowTensor rows, int row, OrtRunOptions? options = null)
    {
        if (row != _boundRow)
        {
            _row.Span<long>()[0] = row;
            _row.Upload();
            _boundRow = row;
        }

        _head.BindInput("x\0"u8, rows.Value);
        _head.Run(options);
        Written();
    }

    /// <summary>Computes the logits of the row of a decode step, which is the same tensor in every step.</summary>
    public void RunDecode(RowTensor row, OrtRunOptions? options)
    {
        if (_replayed is null)
        {
            Run(row, 0, options);
            return;
        }

        if (!_isReplayBound)
        {
            _replayed.BindInput("x\0"u8, row.Value);
            _isReplayBound = true;
        }

        _replayed.Run(options);
        Written();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _head.Dispose();
        _replayed?.Dispose();
        _firstRow?.Dispose();
        _row.Dispose();
        _logitsTensor.Dispose();
        _remote?.Dispose();
    }

    private void Written()
    {
        _remote?.MarkWritten();
        _isBehind = _remote is not null;
        if (_owned is null && _isBehind)
        {
            // The batch reads its memory itself.
            Fetch();
        }
    }

    private void Fetch()
    {
        _remote!.Read<float>().CopyTo(new Span<float>((void*)_logits, _vocabulary));
        _isBehind = false;
    }
}

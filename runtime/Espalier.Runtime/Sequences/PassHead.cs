using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Final norm and head over one row, bound for one sequence.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed unsafe class PassHead : IDisposable
{
    private readonly LayerBinding _head;
    private readonly DeviceTensor _row;
    private readonly DeviceTensor? _owned;
    private readonly nint _logits;
    private readonly nint _logitsTensor;
    private readonly int _vocabulary;
    private int _boundRow = -1;

    /// <summary>Binds the head.</summary>
    /// <param name="sessions">The sessions.</param>
    /// <param name="logits">Where the logits go, in memory of the host; 0 for memory of its own on the device. What a device computes is copied there.</param>
    public PassHead(ModelSessions sessions, nint logits = 0)
    {
        _vocabulary = sessions.Geometry.Text.Vocabulary;
        _head = new LayerBinding(sessions.Head);
        _row = new DeviceTensor(sessions.Memory, [1], OrtElementType.Int64);
        _logits = logits;
        _owned = logits == 0 || !sessions.Memory.IsHost ? new DeviceTensor(sessions.Memory, [1, 1, _vocabulary]) : null;
        _logitsTensor = _owned is not null ? 0 : OrtRaw.CreateTensor(logits, (nuint)_vocabulary * sizeof(float), [1, 1, _vocabulary], OrtElementType.Float);
        _head.BindInput("row\0"u8, _row.Value);
        _head.BindOutput("logits\0"u8, _owned?.Value ?? _logitsTensor);
    }

    /// <summary>One logit a token of the vocabulary, as the last <see cref="Run"/> left them.</summary>
    public ReadOnlySpan<float> Logits => _logits != 0 ? new((void*)_logits, _vocabulary) : _owned!.Read<float>();

    /// <summary>Computes the logits of one row.</summary>
    public void Run(RowTensor rows, int row)
    {
        if (row != _boundRow)
        {
            _row.Span<long>()[0] = row;
            _row.Upload();
            _boundRow = row;
        }

        _head.BindInput("x\0"u8, rows.Value);
        _head.Run();
        _owned?.MarkWritten();
        if (_logits != 0)
        {
            _owned?.Read<float>().CopyTo(new Span<float>((void*)_logits, _vocabulary));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _head.Dispose();
        _row.Dispose();
        OrtRaw.ReleaseValue(_logitsTensor);
        _owned?.Dispose();
    }
}

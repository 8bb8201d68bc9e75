using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Final norm and head over one row, bound for one sequence.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed unsafe class PassHead : IDisposable
{
    private readonly LayerBinding _head;
    private readonly RowTensor _row = RowTensor.Indices();
    private readonly NativeBuffer? _owned;
    private readonly nint _logits;
    private readonly nint _logitsTensor;
    private readonly int _vocabulary;

    /// <summary>Binds the head.</summary>
    /// <param name="sessions">The sessions.</param>
    /// <param name="logits">Where the logits go; 0 for memory of its own.</param>
    public PassHead(ModelSessions sessions, nint logits = 0)
    {
        _vocabulary = sessions.Geometry.Text.Vocabulary;
        _head = new LayerBinding(sessions.Head);
        _owned = logits == 0 ? NativeBuffer.Allocate<float>(_vocabulary) : null;
        _logits = _owned?.Pointer ?? logits;
        _logitsTensor = OrtRaw.CreateTensor(_logits, (nuint)_vocabulary * sizeof(float), [1, 1, _vocabulary], OrtElementType.Float);
        _row.Resize(1);
        _head.BindInput("row\0"u8, _row.Value);
        _head.BindOutput("logits\0"u8, _logitsTensor);
    }

    /// <summary>One logit a token of the vocabulary, as the last <see cref="Run"/> left them.</summary>
    public ReadOnlySpan<float> Logits => new((void*)_logits, _vocabulary);

    /// <summary>Computes the logits of one row.</summary>
    public void Run(RowTensor rows, int row)
    {
        _row.Span<long>()[0] = row;
        _head.BindInput("x\0"u8, rows.Value);
        _head.Run();
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

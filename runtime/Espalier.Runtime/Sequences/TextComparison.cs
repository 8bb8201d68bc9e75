using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>How close each visual token of a scored tower is to the text behind the image, in the decoder's own space: the projector runs over all of them, ahead of the step that takes some away.</summary>
/// <remarks>Bound once for one sequence. Not thread-safe.</remarks>
internal sealed class TextComparison : IDisposable
{
    private readonly LayerBinding _projector;
    private readonly DeviceTensor _projected;
    private readonly float[] _scores;
    private readonly int _offset;

    public TextComparison(ModelSessions sessions, TowerBinding tower, int tokens)
    {
        // Visual tokens are counted from the first patch, rows of a scored tower from its CLS row.
        _offset = tower.RowCount - tokens;
        _scores = new float[tokens];
        _projected = new DeviceTensor(sessions.Memory, [1, tower.RowCount, sessions.Geometry.Text.Hidden], sessions.Rows);
        _projector = new LayerBinding(sessions.Projector);
        _projector.Binding.BindInput("features\0"u8, tower.Features);
        _projector.Binding.BindOutput("y\0"u8, _projected.Value);
    }

    /// <summary>True behind <see cref="Run"/>, until the next image.</summary>
    public bool IsFilled { get; private set; }

    /// <summary>One cosine a visual token; 0 where one of the two rows is zero.</summary>
    public ReadOnlySpan<float> Values => _scores;

    /// <summary>Another image begins.</summary>
    public void Clear() => IsFilled = false;

    /// <summary>Projects and compares.</summary>
    /// <param name="text">The mean embedding of the text.</param>
    public void Run(ReadOnlySpan<float> text)
    {
        _projector.Run();
        _projected.MarkWritten();
        ReadOnlySpan<float> rows = _projected.Read<float>();
        TextCosines.Of(text, rows.Slice(_offset * text.Length, _scores.Length * text.Length), _scores);
        IsFilled = true;
    }

    public void Dispose()
    {
        _projector.Dispose();
        _projected.Dispose();
    }
}

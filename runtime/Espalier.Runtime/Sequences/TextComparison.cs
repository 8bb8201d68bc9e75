using System.Numerics.Tensors;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>How close each visual token of a scored tower is to the text behind the image: by CLIP where the checkpoint has its text tower; else in the decoder's own space, where the projector runs over all of them, ahead of the step that takes some away.</summary>
/// <remarks>Bound once for one sequence. Not thread-safe.</remarks>
internal sealed class TextComparison : IDisposable
{
    private readonly ClipRelevance? _clip;
    private readonly LayerBinding? _projector;
    private readonly DeviceTensor? _projected;
    private readonly float[] _scores;
    private readonly float[] _relevance;
    private readonly int _offset;

    public TextComparison(ModelSessions sessions, TowerBinding tower, int tokens)
    {
        // Visual tokens are counted from the first patch, rows of a scored tower from its CLS row.
        _offset = tower.RowCount - tokens;
        _scores = new float[tokens];
        _relevance = new float[sessions.Clip is null ? 0 : tower.RowCount];
        if (sessions.Clip is { } clip)
        {
            _clip = new ClipRelevance(sessions, clip, tower.Features, tower.RowCount);
            return;
        }

        _projected = new DeviceTensor(sessions.Memory, [1, tower.RowCount, sessions.Geometry.Text.Hidden], sessions.Rows);
        _projector = new LayerBinding(sessions.Projector);
        _projector.Binding.BindInput("features\0"u8, tower.Features);
        _projector.Binding.BindOutput("y\0"u8, _projected.Value);
    }

    /// <summary>True behind <see cref="Run"/>, until the next image.</summary>
    public bool IsFilled { get; private set; }

    /// <summary>True if the question itself is read, by CLIP.</summary>
    public bool ReadsQuestion => _clip is not null;

    /// <summary>One cosine a visual token; 0 where one of the two rows is zero.</summary>
    public ReadOnlySpan<float> Values => _scores;

    /// <summary>Another image begins.</summary>
    public void Clear() => IsFilled = false;

    /// <summary>Embeds the question by CLIP, if that is asked.</summary>
    public void ReadQuestion(string question) => _clip?.Read(question);

    /// <summary>Projects and compares.</summary>
    /// <param name="text">The mean embedding of the text; not read where CLIP compares.</param>
    public void Run(ReadOnlySpan<float> text)
    {
        if (_clip is not null)
        {
            // Relevance has the sign of CDPruner, which negates the cosine.
            _clip.Measure(_relevance);
            TensorPrimitives.Negate(_relevance.AsSpan(_offset), _scores);
        }
        else
        {
            _projector!.Run();
            _projected!.MarkWritten();
            ReadOnlySpan<float> rows = _projected.Read<float>();
            TextCosines.Of(text, rows.Slice(_offset * text.Length, _scores.Length * text.Length), _scores);
        }

        IsFilled = true;
    }

    public void Dispose()
    {
        _clip?.Dispose();
        _projector?.Dispose();
        _projected?.Dispose();
    }
}

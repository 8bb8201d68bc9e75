using System.Numerics.Tensors;

namespace Espalier;

/// <content>The text behind the image, where the plan ranks visual tokens by it: what is read of it before the image, and how close each token is to it.</content>
public sealed partial class ImagePass
{
    private readonly TextComparison? _textScores;
    private readonly ClipRelevance? _clip;
    private readonly float[] _relevance;
    private readonly float[] _meanText;
    private readonly float[] _textRow;

    /// <summary>How close each visual token is to the text behind the image: by CLIP where the checkpoint has its text tower, the cosine of patch and question; else the cosine of the token, projected, with the mean
    /// embedding of the text. One score a visual token. Only behind <see cref="ScoreByText"/>.</summary>
    public ReadOnlySpan<float> TextScores
    {
        get
        {
            Require(_phase == ImagePhase.Scored && _textScores is { IsFilled: true }, "the relation to the text is there behind ScoreByText");
            return _textScores.Values;
        }
    }

    /// <summary>How relevant each visual token is to the text behind the image: by CLIP where the checkpoint has its text tower, minus the cosine of patch and question; else the cosine of the projected
    /// token with the mean embedding of the text. One number a visual token. Only in a plan whose step behind the projector asks for it.</summary>
    public ReadOnlySpan<float> TextRelevance
    {
        get
        {
            Require(_phase == ImagePhase.ProjectedWhole && _relevance.Length > 0, "the relevance is there behind the projector, if the plan asks for it");
            return _relevance.AsSpan(0, _map.Count);
        }
    }

    /// <summary>Compares all visual tokens with the text and reads <see cref="TextScores"/>: by CLIP's projection, or by the projector; what is projected is not kept.</summary>
    public void ScoreByText()
    {
        Require(_phase == ImagePhase.Scored && _textScores is { IsFilled: false }, "tokens are compared with the text once, behind the scored tower, if the plan reduces by it");
        _cancellation.ThrowIfCancellationRequested();
        _textScores.Run(_meanText);
    }

    /// <summary>True if the question itself is read: the checkpoint has CLIP's text tower, and the plan asks it.</summary>
    internal bool ReadsQuestion => _clip is not null || _textScores is { ReadsQuestion: true };

    /// <summary>Embeds the question by CLIP's text tower.</summary>
    internal void ReadQuestion(string question)
    {
        _clip?.Read(question);
        _textScores?.ReadQuestion(question);
    }

    /// <summary>Reads the text behind the image, if the plan asks for it.</summary>
    internal void ReadText(EmbeddingTable embeddings, ReadOnlySpan<int> text)
    {
        if (_meanText.Length == 0)
        {
            return;
        }

        Array.Clear(_meanText);
        for (int i = 0; i < text.Length; i++)
        {
            embeddings.Read(text.Slice(i, 1), _textRow);
            TensorPrimitives.Add<float>(_meanText, _textRow, _meanText);
        }

        TensorPrimitives.Divide<float>(_meanText, text.Length, _meanText);
    }

    private void MeasureRelevance()
    {
        Span<float> relevance = _relevance.AsSpan(0, Math.Min(_relevance.Length, _map.Count));
        if (_clip is not null)
        {
            _clip.Measure(relevance);
        }
        else if (relevance.Length > 0)
        {
            TextCosines.Of(_meanText, _projector.Values, relevance);
        }
    }
}

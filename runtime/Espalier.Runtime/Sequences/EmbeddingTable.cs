using Espalier.Planning;

namespace Espalier;

/// <summary>Token ids to rows, read straight from the mapped checkpoint: a few rows a prompt, one a decode step.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class EmbeddingTable
{
    private readonly CheckpointTensor _table;
    private readonly int _vocabulary;
    private readonly int _imageToken;

    public EmbeddingTable(Checkpoint checkpoint)
    {
        TextGeometry text = checkpoint.Geometry.Text;
        Width = text.Hidden;
        _vocabulary = text.Vocabulary;
        _imageToken = checkpoint.Geometry.ImageTokenId;
        _table = checkpoint.GetTensor("language_model.embed_tokens.weight", [text.Vocabulary, text.Hidden]);
    }

    /// <summary>Floats of a row.</summary>
    public int Width { get; }

    /// <summary>Writes one row a token: <c>[tokens, width]</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A token id is outside the vocabulary, or is the placeholder of a visual token.</exception>
    public void Read(ReadOnlySpan<int> tokens, Span<float> rows)
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            int token = tokens[i];
            Check(token);
            _table.ReadFloats((long)token * Width, rows.Slice(i * Width, Width));
        }
    }

    /// <summary>Rejects ids that have no row before anything is run.</summary>
    public void Check(ReadOnlySpan<int> tokens)
    {
        foreach (int token in tokens)
        {
            Check(token);
        }
    }

    private void Check(int token)
    {
        if ((uint)token >= (uint)_vocabulary || token == _imageToken)
        {
            Throw(token);
        }
    }

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    private void Throw(int token) => throw new ArgumentOutOfRangeException(
        nameof(token),
        token,
        token == _imageToken ? "This id stands for visual tokens; the image is passed apart from the text." : $"Token ids lie in 0..{_vocabulary - 1}.");
}

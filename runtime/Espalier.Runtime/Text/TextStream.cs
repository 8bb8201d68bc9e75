namespace Espalier.Text;

/// <summary>Decodes ids one at a time, as a model generates them. What it gives out is final: whole characters, and together exactly what <see cref="Tokenizer.Decode"/> makes of all ids.</summary>
/// <remarks>Not thread-safe; one stream serves one text after another. After its buffers have grown to the longest token it allocates nothing.</remarks>
public sealed class TextStream
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly CollectStage _sink = new();
    private readonly DecodeStage _first;

    internal TextStream(Tokenizer tokenizer, Decoder decoder, bool skipSpecialTokens)
    {
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
        _first = decoder.Start(_sink);
    }

    /// <summary>Takes the next id.</summary>
    /// <param name="id">The id. One that no token has (the padding of an embedding table) adds no text.</param>
    /// <returns>The text that is now certain; empty while a character is incomplete. Valid until the next call.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> is negative.</exception>
    public ReadOnlySpan<char> Append(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        _sink.Text.Clear();
        Push(id);
        return _sink.Text.Written;
    }

    /// <summary>Ends the text: gives out what was held back, with U+FFFD for an incomplete character. The stream is then ready for another text.</summary>
    /// <returns>The rest of the text. Valid until the next call.</returns>
    public ReadOnlySpan<char> Flush()
    {
        _sink.Text.Clear();
        _first.Complete();
        return _sink.Text.Written;
    }

    internal string DecodeAll(ReadOnlySpan<int> ids)
    {
        foreach (int id in ids)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id, nameof(ids));
            Push(id);
        }

        _first.Complete();
        return _sink.Text.Written.ToString();
    }

    private void Push(int id)
    {
        if (_tokenizer.TokenText(id) is { } token && !(_skipSpecialTokens && _tokenizer.IsSpecial(id)))
        {
            _first.Push(token);
        }
    }
}

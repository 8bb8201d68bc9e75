using System.Text;

namespace Espalier.Text;

/// <summary>One step of decoding a text in progress. Not thread-safe. Allocates only while its buffers grow.</summary>
internal abstract class DecodeStage(DecodeStage? next)
{
    protected DecodeStage Next => next!;

    /// <summary>Takes a token, or a part of the text.</summary>
    public abstract void Push(ReadOnlySpan<char> text);

    /// <summary>Gives out what was held back, and is ready for another text.</summary>
    public virtual void Complete() => next?.Complete();
}

/// <summary>Characters that grow.</summary>
internal sealed class TextBuffer
{
    private char[] _characters = new char[256];
    private int _length;

    public ReadOnlySpan<char> Written => _characters.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public void Append(ReadOnlySpan<char> text)
    {
        text.CopyTo(Reserve(text.Length));
        _length += text.Length;
    }

    public void Append(char c)
    {
        Reserve(1)[0] = c;
        _length++;
    }

    /// <summary>Appends what a UTF-8 decoder makes of some bytes.</summary>
    public void Append(System.Text.Decoder decoder, ReadOnlySpan<byte> bytes, bool flush)
    {
        // One byte more than given may be pending, and each becomes at most one character.
        _length += decoder.GetChars(bytes, Reserve(bytes.Length + 4), flush);
    }

    private Span<char> Reserve(int count)
    {
        if (_length + count > _characters.Length)
        {
            Array.Resize(ref _characters, Math.Max(_length + count, 2 * _characters.Length));
        }

        return _characters.AsSpan(_length);
    }
}

/// <summary>The end of the chain: collects the text.</summary>
internal sealed class CollectStage() : DecodeStage(null)
{
    public TextBuffer Text { get; } = new();

    public override void Push(ReadOnlySpan<char> text) => Text.Append(text);
}

/// <summary>No decoder: a space between tokens.</summary>
internal sealed class JoinStage(DecodeStage next) : DecodeStage(next)
{
    private bool _isFirst = true;

    public override void Push(ReadOnlySpan<char> text)
    {
        if (!_isFirst)
        {
            Next.Push(" ");
        }

        _isFirst = false;
        Next.Push(text);
    }

    public override void Complete()
    {
        _isFirst = true;
        base.Complete();
    }
}

/// <summary>Tokens in GPT-2's byte alphabet to UTF-8; a token with a character outside it stands for its own UTF-8.</summary>
internal sealed class ByteLevelStage(DecodeStage next) : DecodeStage(next)
{
    private readonly System.Text.Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly TextBuffer _text = new();
    private byte[] _bytes = new byte[256];

    public override void Push(ReadOnlySpan<char> text)
    {
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (most > _bytes.Length)
        {
            _bytes = new byte[2 * most];
        }

        int count = 0;
        foreach (char c in text)
        {
            int b = ByteAlphabet.ByteOf(c);
            if (b < 0)
            {
                count = Encoding.UTF8.GetBytes(text, _bytes);
                break;
            }

            _bytes[count++] = (byte)b;
        }

        Give(count, flush: false);
    }

    public override void Complete()
    {
        Give(0, flush: true);
        base.Complete();
    }

    private void Give(int count, bool flush)
    {
        _text.Clear();
        _text.Append(_decoder, _bytes.AsSpan(0, count), flush);
        if (!_text.Written.IsEmpty)
        {
            Next.Push(_text.Written);
        }
    }
}

/// <summary>Tokens <c>&lt;0xE2&gt;</c> to UTF-8. Whole characters are given out at once; what is no UTF-8 becomes U+FFFD, one for each maximal part.</summary>
internal sealed class ByteFallbackStage(DecodeStage next) : DecodeStage(next)
{
    private readonly System.Text.Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly TextBuffer _text = new();

    public override void Push(ReadOnlySpan<char> text)
    {
        if (text is ['<', '0', 'x', _, _, '>'] && char.IsAsciiHexDigit(text[3]) && char.IsAsciiHexDigit(text[4]))
        {
            Give([(byte)(Digit(text[3]) << 4 | Digit(text[4]))], flush: false);
            return;
        }

        Give([], flush: true);
        Next.Push(text);
    }

    public override void Complete()
    {
        Give([], flush: true);
        base.Complete();
    }

    private static int Digit(char c) => char.IsAsciiDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;

    private void Give(ReadOnlySpan<byte> bytes, bool flush)
    {
        _text.Clear();
        _text.Append(_decoder, bytes, flush);
        if (!_text.Written.IsEmpty)
        {
            Next.Push(_text.Written);
        }
    }
}

/// <summary>The replacement character to a space; of the first token it is dropped, unless none was prepended.</summary>
internal sealed class MetaspaceStage(DecodeStage next, char replacement, bool keepsFirst) : DecodeStage(next)
{
    private readonly TextBuffer _text = new();
    private bool _isFirst = true;

    public override void Push(ReadOnlySpan<char> text)
    {
        _text.Clear();
        foreach (char c in text)
        {
            if (c != replacement)
            {
                _text.Append(c);
            }
            else if (!_isFirst || keepsFirst)
            {
                _text.Append(' ');
            }
        }

        _isFirst = false;
        Next.Push(_text.Written);
    }

    public override void Complete()
    {
        _isFirst = true;
        base.Complete();
    }
}

/// <summary>One text for another.</summary>
internal sealed class ReplaceStage(DecodeStage next, string pattern, string content) : DecodeStage(next)
{
    private readonly TextBuffer _text = new();

    public override void Push(ReadOnlySpan<char> text)
    {
        int at = text.IndexOf(pattern);
        if (at < 0)
        {
            Next.Push(text);
            return;
        }

        _text.Clear();
        for (; at >= 0; at = text.IndexOf(pattern))
        {
            _text.Append(text[..at]);
            _text.Append(content);
            text = text[(at + pattern.Length)..];
        }

        _text.Append(text);
        Next.Push(_text.Written);
    }
}

/// <summary>Removes up to so many of a character from both ends of each token.</summary>
internal sealed class StripTokenStage(DecodeStage next, char content, int start, int stop) : DecodeStage(next)
{
    public override void Push(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < start && text.StartsWith(content); i++)
        {
            text = text[1..];
        }

        for (int i = 0; i < stop && text.EndsWith(content); i++)
        {
            text = text[..^1];
        }

        Next.Push(text);
    }
}

/// <summary>Removes up to so many of a character from both ends of the text; as many at the end are held back until it is known whether it is the end.</summary>
internal sealed class StripTextStage(DecodeStage next, char content, int start, int stop) : DecodeStage(next)
{
    private readonly TextBuffer _text = new();
    private int _dropped;
    private int _held;

    public override void Push(ReadOnlySpan<char> text)
    {
        for (; _dropped < start && !text.IsEmpty; _dropped++)
        {
            if (text[0] != content)
            {
                _dropped = start;
                break;
            }

            text = text[1..];
        }

        _text.Clear();
        foreach (char c in text)
        {
            if (c == content)
            {
                _held++;
            }
            else
            {
                Release(0);
                _text.Append(c);
            }
        }

        Release(stop);
        Next.Push(_text.Written);
    }

    public override void Complete()
    {
        _held = 0;
        _dropped = 0;
        base.Complete();
    }

    private void Release(int keep)
    {
        for (; _held > keep; _held--)
        {
            _text.Append(content);
        }
    }
}

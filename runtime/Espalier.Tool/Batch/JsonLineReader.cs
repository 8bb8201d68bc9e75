namespace Espalier.Tool.Batch;

/// <summary>A line of the input.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Bytes">Without the line feed; cut off if the line is too long. Valid until the next line is read.</param>
/// <param name="IsTooLong">True if there was more.</param>
internal readonly record struct InputLine(long Number, ReadOnlyMemory<byte> Bytes, bool IsTooLong)
{
    /// <summary>True if there is nothing but white space.</summary>
    public bool IsBlank => !IsTooLong && Bytes.Span.Trim(" \t\r"u8).IsEmpty;
}

/// <summary>Reads lines of bytes, of which none can take more memory than a limit.</summary>
/// <remarks>Not thread-safe. The stream stays the caller's.</remarks>
internal sealed class JsonLineReader(Stream stream, int longest)
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private readonly byte[] _block = new byte[1 << 16];
    private byte[] _line = new byte[1 << 12];
    private int _start;
    private int _end;
    private long _number;

    /// <summary>The next line; null at the end.</summary>
    public async ValueTask<InputLine?> ReadAsync(CancellationToken cancellationToken)
    {
        int length = 0;
        bool tooLong = false;
        bool any = false;
        while (true)
        {
            if (_start == _end)
            {
                _start = 0;
                _end = await stream.ReadAsync(_block, cancellationToken).ConfigureAwait(false);
                if (_end == 0)
                {
                    return any ? Line(length, tooLong) : null;
                }
            }

            any = true;
            int feed = _block.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            int taken = feed < 0 ? _end - _start : feed;
            int room = Math.Min(taken, longest - length);
            tooLong |= room < taken;
            if (length + room > _line.Length)
            {
                Array.Resize(ref _line, (int)Math.Min(longest, Math.Max((long)length + room, 2L * _line.Length)));
            }

            _block.AsSpan(_start, room).CopyTo(_line.AsSpan(length));
            length += room;
            _start += taken;
            if (feed >= 0)
            {
                _start++;
                return Line(length, tooLong);
            }
        }
    }

    private InputLine Line(int length, bool tooLong)
    {
        int start = ++_number == 1 && _line.AsSpan(0, length).StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        return new InputLine(_number, _line.AsMemory(start, length - start), tooLong);
    }
}

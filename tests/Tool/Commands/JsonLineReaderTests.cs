using System.Text;
using Espalier.Tool.Batch;

namespace Espalier.Tests;

public sealed class JsonLineReaderTests
{
    [Theory]
    [InlineData("a\nb", "1a 2b")]
    [InlineData("a\n\nb\n", "1a 2 3b")]
    [InlineData("", "")]
    [InlineData("\n", "1")]
    [InlineData("12345678\n123456789\nx", "112345678 212345678+ 3x")]
    public async Task LinesAreNumberedAndCutAtTheLimit(string input, string expected)
    {
        var reader = new JsonLineReader(new Trickle(Encoding.UTF8.GetBytes(input)), longest: 8);
        var seen = new List<string>();
        while (await reader.ReadAsync(CancellationToken.None) is { } line)
        {
            seen.Add(line.Number + Encoding.UTF8.GetString(line.Bytes.Span) + (line.IsTooLong ? "+" : ""));
        }

        Assert.Equal(expected, string.Join(' ', seen));
    }

    [Fact]
    public async Task AHugeLineTakesNoMoreMemoryThanTheLimit()
    {
        var reader = new JsonLineReader(new MemoryStream(new byte[50 << 20]), longest: 1 << 16);
        long before = GC.GetAllocatedBytesForCurrentThread();
        InputLine line = (await reader.ReadAsync(CancellationToken.None))!.Value;
        Assert.True(line.IsTooLong);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    /// <summary>Gives a few bytes at a time, as pipes do.</summary>
    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(3, buffer.Length)], cancellationToken);
    }
}

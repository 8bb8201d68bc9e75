using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Espalier.Evaluation;

namespace Espalier.Tool.Batch;

/// <summary>Where the records of a batch go: a file that is gone on with, or a stream.</summary>
/// <remarks>Every record is handed to the system before the next line is read. Not thread-safe.</remarks>
internal sealed class BatchOutput : IDisposable
{
    private readonly Stream _stream;

    private BatchOutput(Stream stream, long lastLine)
    {
        _stream = stream;
        LastLine = lastLine;
    }

    /// <summary>The line of the input that the last record is of; 0 if there is none.</summary>
    public long LastLine { get; }

    /// <summary>Records to a stream, which is disposed with this.</summary>
    public static BatchOutput To(Stream stream) => new(stream, 0);

    /// <summary>Records behind those that a file holds. A record that was cut off is cut away.</summary>
    /// <param name="path">The file; made if it does not exist.</param>
    /// <param name="run">The run that the file must be of.</param>
    /// <exception cref="InputException">The file is of another run, or no output of a batch.</exception>
    public static BatchOutput Open(string path, string run)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        try
        {
            long end = AfterFeed(file, file.Length);
            long last = 0;
            if (end > 0)
            {
                long start = AfterFeed(file, end - 1);
                byte[] bytes = new byte[end - start];
                file.Position = start;
                file.ReadExactly(bytes);
                last = LineOf(path, bytes, run);
            }
            else if (!IsBegun(file))
            {
                throw new InputException($"{path}: the file holds no record of a batch, and would be lost. Name another file, or delete this one.");
            }

            file.SetLength(end);
            file.Position = end;
            return new BatchOutput(file, last);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a record.</summary>
    public void Write(JsonObject record)
    {
        _stream.Write(Encoding.UTF8.GetBytes(record.ToJsonString(JsonText.Line) + "\n"));
        _stream.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    /// <summary>The place behind the last line feed before an end; 0 if there is none.</summary>
    private static long AfterFeed(FileStream file, long end)
    {
        byte[] block = new byte[1 << 16];
        while (end > 0)
        {
            int length = (int)Math.Min(block.Length, end);
            file.Position = end - length;
            file.ReadExactly(block, 0, length);
            int feed = block.AsSpan(0, length).LastIndexOf((byte)'\n');
            if (feed >= 0)
            {
                return end - length + feed + 1;
            }

            end -= length;
        }

        return 0;
    }

    /// <summary>True if a file without a line feed is empty, or holds the begin of a record.</summary>
    private static bool IsBegun(FileStream file)
    {
        ReadOnlySpan<byte> record = "{\"line\":"u8;
        Span<byte> begin = stackalloc byte[record.Length];
        file.Position = 0;
        int read = file.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false);
        return begin[..read].SequenceEqual(record[..read]);
    }

    private static long LineOf(string path, byte[] record, string run)
    {
        try
        {
            JsonNode? last = JsonNode.Parse(record);
            return last?["run"]?.GetValue<string>() == run
                ? last["line"]!.GetValue<long>()
                : throw new InputException($"{path}: the file holds records of a run with another model, policy, precision or sampling. Name another file, or delete this one to start anew.");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new InputException($"{path}: the last line is no record of a batch. Name another file, or remove what is not of a batch.");
        }
    }
}

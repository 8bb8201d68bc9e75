using System.Text.Json;

namespace Espalier.Text;

/// <summary>Reads the files of this namespace, with a limit before memory is taken.</summary>
internal static class TextFile
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    public static byte[] Read(string path, int maximumBytes)
    {
        try
        {
            if (EmptyFile.Is(path))
            {
                return [];
            }

            using FileStream stream = File.OpenRead(path);
            if (stream.Length > maximumBytes)
            {
                throw TooLarge(stream.Length, path, maximumBytes);
            }

            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new TokenizerException(TokenizerError.Unreadable, path, "$", $"the file cannot be read: {exception.Message}", exception);
        }
    }

    public static JsonDocument ParseJson(ReadOnlySpan<byte> utf8Json, string file, int maximumBytes)
    {
        if (utf8Json.Length > maximumBytes)
        {
            throw TooLarge(utf8Json.Length, file, maximumBytes);
        }

        if (utf8Json.StartsWith(ByteOrderMark))
        {
            utf8Json = utf8Json[ByteOrderMark.Length..];
        }

        try
        {
            // A reader parses from a span; JsonDocument.Parse wants memory that outlives it.
            var reader = new Utf8JsonReader(utf8Json);
            JsonDocument document = JsonDocument.ParseValue(ref reader);
            try
            {
                if (reader.Read())
                {
                    throw new JsonException("more than one value");
                }

                return document;
            }
            catch
            {
                document.Dispose();
                throw;
            }
        }
        catch (JsonException exception)
        {
            throw new TokenizerException(TokenizerError.NotJson, file, "$", $"the file is not JSON: {exception.Message}", exception);
        }
    }

    private static TokenizerException TooLarge(long bytes, string file, int maximumBytes) =>
        new(TokenizerError.TooLarge, file, "$", $"the file has {bytes} bytes; at most {maximumBytes} are accepted");
}

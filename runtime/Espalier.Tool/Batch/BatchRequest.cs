using System.Text.Json;
using System.Text.Json.Nodes;
using Espalier.Evaluation;
using Espalier.Imaging;
using Espalier.Vision;

namespace Espalier.Tool.Batch;

/// <summary>One line of a batch, read: a question about a picture.</summary>
/// <param name="Question">The question.</param>
/// <param name="Image">Path of the picture, or its bytes as a <c>data:</c> address.</param>
internal sealed record BatchRequest(string Question, string Image)
{
    private const string Form = "A line is an object with image (a path, or data:image/...;base64,...) and question, and an id if you like.";

    /// <summary>Reads a line.</summary>
    /// <param name="line">The bytes.</param>
    /// <param name="id">What the line calls itself, also if the rest of it is wrong; null if it does not.</param>
    /// <exception cref="BatchLineException">It is no request.</exception>
    public static BatchRequest Parse(InputLine line, out JsonNode? id)
    {
        id = null;
        if (line.IsTooLong)
        {
            throw new BatchLineException("json", $"the line is longer than {BatchRun.LongestLine} bytes. Put the picture into a file and name it.");
        }

        try
        {
            var reader = new Utf8JsonReader(line.Bytes.Span, new JsonReaderOptions { MaxDepth = 16 });
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            if (!line.Bytes.Span[(int)reader.BytesConsumed..].Trim(" \t\r"u8).IsEmpty)
            {
                throw new BatchLineException("json", $"something follows the object. {Form}");
            }

            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new BatchLineException("json", $"the line is not an object. {Form}");
            }

            if (root.TryGetProperty("id", out JsonElement named))
            {
                id = named.ValueKind is JsonValueKind.String or JsonValueKind.Number
                    ? JsonNode.Parse(named.GetRawText())
                    : throw new BatchLineException("field", "\"id\" is neither a text nor a number.");
            }

            return new BatchRequest(Text(root, "question"), Text(root, "image"));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new BatchLineException("json", $"the line is not JSON: {exception.Message} {Form}");
        }
    }

    /// <summary>Decodes the picture.</summary>
    /// <param name="folder">What paths are relative to.</param>
    /// <exception cref="BatchLineException">There is no such file, or the address is no base64.</exception>
    /// <exception cref="ImageException">It is not a picture, or a broken or huge one.</exception>
    public RgbImage ReadImage(string folder)
    {
        if (!Image.StartsWith("data:", StringComparison.Ordinal))
        {
            string path = Path.Combine(folder, Image);
            return File.Exists(path) ? Pictures.Read(path) : throw new BatchLineException("image", $"\"image\" names {path}, which does not exist. Paths are relative to {folder}; --images names another folder.");
        }

        int comma = Image.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0 || !Image.AsSpan(0, comma).EndsWith(";base64"))
        {
            throw new BatchLineException("image", "\"image\" is a data address without base64; write data:image/png;base64, and the bytes.");
        }

        try
        {
            return ImageDecoder.Load(Convert.FromBase64String(Image[(comma + 1)..])).Rgb;
        }
        catch (FormatException)
        {
            throw new BatchLineException("image", "\"image\" is a data address whose bytes are not base64.");
        }
    }

    private static string Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : throw new BatchLineException("field", $"there is no text \"{name}\". {Form}");
}

/// <summary>What is wrong with one line of a batch; it becomes that line's record.</summary>
/// <param name="kind">What kind of thing is wrong: json, field, image.</param>
/// <param name="message">One sentence, with the fix.</param>
internal sealed class BatchLineException(string kind, string message) : Exception(message)
{
    /// <summary>What kind of thing is wrong.</summary>
    public string Kind => kind;
}

using System.Text.Json;

namespace Espalier.Text;

/// <summary>A JSON value that knows its file and path, so that every complaint about it can name both.</summary>
internal readonly struct JsonField(JsonElement element, string file, string path)
{
    public string File => file;

    public string Path => path;

    public JsonElement Element => element;

    public bool IsNull => element.ValueKind == JsonValueKind.Null;

    public bool IsArray => element.ValueKind == JsonValueKind.Array;

    public bool IsString => element.ValueKind == JsonValueKind.String;

    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    /// <summary>A field that must be there; it may be null.</summary>
    public JsonField Required(string name)
    {
        Expect(JsonValueKind.Object);
        return element.TryGetProperty(name, out JsonElement value)
            ? new JsonField(value, file, $"{path}.{name}")
            : throw Fail(TokenizerError.MissingField, $"the field \"{name}\" is missing");
    }

    /// <summary>A field that may be absent; null counts as absent.</summary>
    public JsonField? Optional(string name)
    {
        Expect(JsonValueKind.Object);
        return element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? new JsonField(value, file, $"{path}.{name}")
            : null;
    }

    public string Text()
    {
        Expect(JsonValueKind.String);
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw Fail(TokenizerError.InvalidField, "the string is not valid Unicode", exception);
        }
    }

    public string? OptionalText(string name) => Optional(name)?.Text();

    /// <summary>A single character of the basic plane.</summary>
    public char Character()
    {
        string text = Text();
        return text.Length == 1 ? text[0] : throw Fail(TokenizerError.InvalidField, $"one character is expected, \"{text}\" was found");
    }

    public bool Flag(string name, bool absent)
    {
        if (Optional(name) is not { } field)
        {
            return absent;
        }

        return field.Element.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw field.Fail(TokenizerError.InvalidField, $"true or false is expected, {field.Element.ValueKind} was found"),
        };
    }

    /// <summary>An integer from 0 to <paramref name="limit"/>.</summary>
    public int Count(int limit)
    {
        Expect(JsonValueKind.Number);
        return element.TryGetInt32(out int value) && value >= 0 && value <= limit
            ? value
            : throw Fail(TokenizerError.InvalidField, $"an integer from 0 to {limit} is expected, {element.GetRawText()} was found");
    }

    /// <summary>The elements of an array of at most <paramref name="limit"/>.</summary>
    public IEnumerable<JsonField> Items(int limit)
    {
        Expect(JsonValueKind.Array);
        int length = element.GetArrayLength();
        return length <= limit
            ? Enumerate(element, file, path)
            : throw Fail(TokenizerError.TooLarge, $"{length} elements; at most {limit} are accepted");

        static IEnumerable<JsonField> Enumerate(JsonElement array, string file, string path)
        {
            int index = 0;
            foreach (JsonElement item in array.EnumerateArray())
            {
                yield return new JsonField(item, file, $"{path}[{index++}]");
            }
        }
    }

    public void Expect(JsonValueKind kind)
    {
        if (element.ValueKind != kind)
        {
            throw Fail(TokenizerError.InvalidField, $"{kind} is expected, {element.ValueKind} was found");
        }
    }

    /// <summary>Requires an optional field to be absent, null, or the text, number or flag that changes nothing.</summary>
    public void RefuseUnless(string name, string neutral)
    {
        if (Optional(name) is { } field && field.Element.GetRawText() != neutral)
        {
            throw field.Fail(TokenizerError.Unsupported, $"{field.Element.GetRawText()} is not supported, only null or {neutral}");
        }
    }

    public TokenizerException Fail(TokenizerError error, string message, Exception? inner = null) => new(error, file, path, message, inner);

    public TokenizerException UnsupportedType(string type, string supported) =>
        Fail(TokenizerError.Unsupported, $"the type \"{type}\" is not supported; supported are {supported}");
}

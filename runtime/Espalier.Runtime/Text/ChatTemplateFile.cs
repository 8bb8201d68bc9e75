using System.Text;
using System.Text.Json;

namespace Espalier.Text;

/// <summary>The text of a chat template and where it was found.</summary>
/// <param name="File">The file.</param>
/// <param name="Path">The place in the file.</param>
/// <param name="Text">The Jinja program, with the escapes of its string literals (<c>\n</c>, <c>\'</c>) resolved.</param>
internal sealed record ChatTemplateFile(string File, string Path, string Text)
{
    private const int MaximumBytes = 16 << 20, MaximumTemplates = 64;

    /// <summary>Finds the template of a checkpoint folder; null if there is none.</summary>
    public static ChatTemplateFile? Read(string folder)
    {
        string jinja = System.IO.Path.Combine(folder, "chat_template.jinja");
        if (System.IO.File.Exists(jinja))
        {
            return new ChatTemplateFile(jinja, "$", Resolve(Encoding.UTF8.GetString(TextFile.Read(jinja, MaximumBytes))));
        }

        foreach (string name in (ReadOnlySpan<string>)["chat_template.json", "processor_config.json", "tokenizer_config.json"])
        {
            if (ReadField(folder, name, "chat_template", FromField) is { } template)
            {
                return template;
            }
        }

        return null;
    }

    /// <summary>The <c>eos_token</c> of <c>tokenizer_config.json</c>: a string, or an object with its content; null if it is not given.</summary>
    public static string? ReadEndOfSequence(string folder) =>
        ReadField(folder, "tokenizer_config.json", "eos_token", field => field.IsObject ? field.Required("content").Text() : field.Text());

    public bool Has(string words) => Text.Contains(words, StringComparison.Ordinal);

    /// <summary>A run of literal text from one mark to another, both included; null if there is none, or if it is put together by the program.</summary>
    public string? Literal(string from, string to)
    {
        for (int start = 0; (start = Text.IndexOf(from, start, StringComparison.Ordinal)) >= 0; start += from.Length)
        {
            int end = Text.IndexOf(to, start + from.Length, StringComparison.Ordinal);
            if (end >= 0 && Text.AsSpan(start + from.Length, end - start - from.Length).IndexOfAny("'\"{}") < 0)
            {
                return Text[start..(end + to.Length)];
            }
        }

        return null;
    }

    private static T? ReadField<T>(string folder, string name, string field, Func<JsonField, T> read)
        where T : class
    {
        string file = System.IO.Path.Combine(folder, name);
        if (!System.IO.File.Exists(file))
        {
            return null;
        }

        using JsonDocument document = TextFile.ParseJson(TextFile.Read(file, MaximumBytes), file, MaximumBytes);
        return new JsonField(document.RootElement, file, "$").Optional(field) is { } found ? read(found) : null;
    }

    /// <summary>A template is a string, or a list of named ones, of which "default" counts.</summary>
    private static ChatTemplateFile FromField(JsonField field)
    {
        if (!field.IsArray)
        {
            return new ChatTemplateFile(field.File, field.Path, Resolve(field.Text()));
        }

        foreach (JsonField item in field.Items(MaximumTemplates))
        {
            if (item.Required("name").Text() == "default")
            {
                return FromField(item.Required("template"));
            }
        }

        throw field.Fail(TokenizerError.UnsupportedChatTemplate, "of several chat templates one must be named \"default\"");
    }

    private static string Resolve(string jinja) => jinja.Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\'", "'", StringComparison.Ordinal);
}

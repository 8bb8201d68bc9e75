using System.Text;

namespace Espalier.Text;

/// <summary>The <c>decoder</c> of a tokenizer file: the steps that turn tokens into text. Immutable, thread-safe; every text in progress has stages of its own.</summary>
internal sealed class Decoder
{
    private const string Supported = "ByteLevel, ByteFallback, Fuse, Metaspace, Replace, Strip and Sequence";
    private const int MaximumSteps = 64, MaximumStrip = 1024;

    private readonly List<Func<DecodeStage, DecodeStage>> _steps = [];

    // What the steps so far leave: whole tokens, parts of tokens, or one text.
    private Grain _grain;

    private enum Grain
    {
        Tokens,
        Parts,
        Text,
    }

    private Decoder()
    {
    }

    /// <summary>Reads a decoder; null in the file is one that puts a space between tokens.</summary>
    public static Decoder Read(JsonField field)
    {
        var decoder = new Decoder();
        if (field.IsNull)
        {
            decoder._steps.Add(next => new JoinStage(next));
        }
        else
        {
            decoder.Add(field, 0);
        }

        return decoder;
    }

    /// <summary>Makes the stages of a text in progress; they end in <paramref name="sink"/>.</summary>
    public DecodeStage Start(DecodeStage sink)
    {
        DecodeStage first = sink;
        for (int i = _steps.Count - 1; i >= 0; i--)
        {
            first = _steps[i](first);
        }

        return first;
    }

    private void Add(JsonField field, int depth)
    {
        string type = field.Required("type").Text();
        switch (type)
        {
            case "Sequence" when depth < MaximumSteps:
                foreach (JsonField step in field.Required("decoders").Items(MaximumSteps))
                {
                    Add(step, depth + 1);
                }

                break;
            case "ByteLevel":
                RequireTokens(field, type);
                _steps.Add(next => new ByteLevelStage(next));
                _grain = Grain.Text;
                break;
            case "ByteFallback":
                RequireTokens(field, type);
                _steps.Add(next => new ByteFallbackStage(next));
                _grain = Grain.Parts;
                break;
            case "Fuse":
                _grain = Grain.Text;
                break;
            case "Metaspace":
                RequireTokens(field, type);
                char replacement = field.Optional("replacement")?.Character() ?? '\u2581';
                bool keepsFirst = (field.OptionalText("prepend_scheme") ?? (field.Flag("add_prefix_space", absent: true) ? "always" : "never")) == "never";
                _steps.Add(next => new MetaspaceStage(next, replacement, keepsFirst));
                break;
            case "Replace":
                AddReplace(field);
                break;
            case "Strip":
                AddStrip(field);
                break;
            default:
                throw field.UnsupportedType(type, Supported);
        }
    }

    private void AddReplace(JsonField field)
    {
        JsonField pattern = field.Required("pattern");
        string content = field.Required("content").Text();
        if (TokenPattern.Read(pattern).Literal is not { Length: > 0 } literal)
        {
            throw pattern.Fail(TokenizerError.Unsupported, "a decoder replaces {\"String\": \"...\"} only, and not an empty one");
        }

        if (_grain != Grain.Tokens && literal.Length > 1)
        {
            throw pattern.Fail(TokenizerError.Unsupported, "after the tokens were joined a decoder replaces single characters only");
        }

        _steps.Add(next => new ReplaceStage(next, literal, content));
    }

    private void AddStrip(JsonField field)
    {
        char content = field.Required("content").Character();
        int start = field.Optional("start")?.Count(MaximumStrip) ?? 0;
        int stop = field.Optional("stop")?.Count(MaximumStrip) ?? 0;
        if (_grain == Grain.Text)
        {
            _steps.Add(next => new StripTextStage(next, content, start, stop));
        }
        else
        {
            RequireTokens(field, "Strip");
            _steps.Add(next => new StripTokenStage(next, content, start, stop));
        }
    }

    private void RequireTokens(JsonField field, string type)
    {
        if (_grain != Grain.Tokens)
        {
            throw field.Fail(TokenizerError.Unsupported, $"{type} is not supported after ByteFallback{(type == "Strip" ? " without Fuse" : ", ByteLevel or Fuse")}");
        }
    }
}

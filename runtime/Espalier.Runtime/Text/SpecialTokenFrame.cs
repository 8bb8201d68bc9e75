namespace Espalier.Text;

/// <summary>The <c>post_processor</c> of a tokenizer file, as far as one text is concerned: the ids before and after it. Immutable, thread-safe.</summary>
internal sealed record SpecialTokenFrame(int[] Before, int[] After)
{
    private const string Supported = "TemplateProcessing, RobertaProcessing, ByteLevel and Sequence";
    private const int MaximumSteps = 64, MaximumItems = 1024;

    public static SpecialTokenFrame Read(JsonField field, Func<int, bool> isKnown)
    {
        if (field.IsNull)
        {
            return new SpecialTokenFrame([], []);
        }

        string type = field.Required("type").Text();
        switch (type)
        {
            case "ByteLevel":
                // It trims offsets, and we have none.
                return new SpecialTokenFrame([], []);
            case "RobertaProcessing":
                return new SpecialTokenFrame([ReadToken(field.Required("cls"), isKnown)], [ReadToken(field.Required("sep"), isKnown)]);
            case "TemplateProcessing":
                return ReadTemplate(field, isKnown);
            case "Sequence":
                var whole = new SpecialTokenFrame([], []);
                foreach (JsonField step in field.Required("processors").Items(MaximumSteps))
                {
                    SpecialTokenFrame frame = Read(step, isKnown);
                    whole = new SpecialTokenFrame([.. frame.Before, .. whole.Before], [.. whole.After, .. frame.After]);
                }

                return whole;
            default:
                throw field.UnsupportedType(type, Supported);
        }
    }

    // A pair: the token and its id.
    private static int ReadToken(JsonField pair, Func<int, bool> isKnown)
    {
        JsonField[] items = [.. pair.Items(2)];
        if (items.Length != 2)
        {
            throw pair.Fail(TokenizerError.InvalidField, "it must be a token and its id");
        }

        int id = items[1].Count(BytePairModel.IdLimit - 1);
        return isKnown(id) ? id : throw items[1].Fail(TokenizerError.UnknownToken, $"no token has the id {id}");
    }

    private static SpecialTokenFrame ReadTemplate(JsonField field, Func<int, bool> isKnown)
    {
        var before = new List<int>();
        var after = new List<int>();
        bool seenText = false;
        JsonField single = field.Required("single");
        foreach (JsonField item in single.Items(MaximumItems))
        {
            if (item.Optional("Sequence") is { } text)
            {
                if (seenText || text.Required("id").Text() != "A")
                {
                    throw text.Fail(TokenizerError.Unsupported, "the template of a single text holds the sequence \"A\" once");
                }

                seenText = true;
                continue;
            }

            JsonField reference = item.Required("SpecialToken").Required("id");
            JsonField special = field.Required("special_tokens").Required(reference.Text());
            foreach (JsonField id in special.Required("ids").Items(MaximumItems))
            {
                int value = id.Count(BytePairModel.IdLimit - 1);
                (seenText ? after : before).Add(isKnown(value) ? value : throw id.Fail(TokenizerError.UnknownToken, $"no token has the id {value}"));
            }
        }

        return seenText
            ? new SpecialTokenFrame([.. before], [.. after])
            : throw single.Fail(TokenizerError.MissingField, "the template does not hold the sequence \"A\"");
    }
}

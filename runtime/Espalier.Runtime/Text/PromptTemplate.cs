using Espalier.Planning;

namespace Espalier.Text;

/// <summary>How a checkpoint wants a question about an image to be put.</summary>
/// <remarks>
/// A chat template is a Jinja program. It is not run: one of the two forms of the LLaVA family is recognised in it, with the details in which
/// the published templates differ (see <see cref="PromptForm"/>), and every other template is refused. Only the template's own words may become
/// special tokens. The question is encoded with <see cref="Tokenizer.EncodeUntrusted(string)"/>'s rules, so a question that holds
/// <c>&lt;image&gt;</c> or <c>&lt;|im_end|&gt;</c> gets the characters, not the tokens. Immutable, thread-safe.
/// </remarks>
public sealed partial class PromptTemplate
{
    private const string Question = "{question}";
    private const string EndOfSequence = "</s>", TurnStart = "<|im_start|>", TurnEnd = "<|im_end|>";

    private readonly string _source;
    private readonly Part[] _beforeImage;
    private readonly Part[] _afterImage;
    private readonly Part[] _followUp;
    private readonly Part[] _openUser;
    private readonly string _afterTurn;

    // openUser: what opens the turn of the image, without the template's words in front of it. afterTurn: what follows the end of a turn.
    private PromptTemplate(string source, PromptForm form, string afterTurn, Part[] openUser, Part[] beforeImage, Part[] afterImage, Part[] followUp)
    {
        _source = source;
        Form = form;
        _afterTurn = afterTurn;
        _openUser = openUser;
        _beforeImage = beforeImage;
        _afterImage = afterImage;
        _followUp = followUp;
    }

    /// <summary>A piece of the template: words, or the name of a special token.</summary>
    private readonly record struct Part(string Text, bool IsToken)
    {
        public static Part Words(string text) => new(text, IsToken: false);

        public static Part Token(string text) => new(text, IsToken: true);
    }

    /// <summary>The recognised form.</summary>
    public PromptForm Form { get; }

    /// <summary>Reads the template of a checkpoint folder: <c>chat_template.jinja</c>, else the <c>chat_template</c> field of <c>chat_template.json</c>,
    /// <c>processor_config.json</c> or <c>tokenizer_config.json</c>. Without any, LLaMA decoders get <see cref="PromptForm.Llava15"/> and Qwen2 decoders <see cref="PromptForm.ChatMl"/>.</summary>
    /// <param name="folder">The checkpoint folder.</param>
    /// <param name="family">The decoder's family, for the default.</param>
    /// <returns>The template.</returns>
    /// <exception cref="TokenizerException">A file is malformed, or the template is of another form.</exception>
    public static PromptTemplate Read(string folder, TextFamily family)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string endOfSequence = ChatTemplateFile.ReadEndOfSequence(folder) ?? EndOfSequence;
        if (ChatTemplateFile.Read(folder) is { } template)
        {
            return Recognize(template, endOfSequence);
        }

        return family switch
        {
            TextFamily.Llama => MakeLlava15(folder, system: "", endOfSequence),
            TextFamily.Qwen2 => MakeChatMl(folder, system: null, afterRole: "\n", afterTurn: "\n", beforeText: ""),
            _ => throw new TokenizerException(TokenizerError.UnsupportedChatTemplate, folder, "chat_template", $"there is no chat template, and no default for the family {family}"),
        };
    }

    /// <summary>Encodes a first question about an image.</summary>
    /// <param name="tokenizer">The checkpoint's tokenizer.</param>
    /// <param name="question">The question; never read as anything but plain text.</param>
    /// <param name="imageTokenId">The id that stands for the image in the checkpoint's config.</param>
    /// <returns>The ids before and after the image; neither holds <paramref name="imageTokenId"/>.</returns>
    /// <exception cref="TokenizerException">The tokenizer lacks a token of the template, or the question cannot be encoded without a special token.</exception>
    public Prompt Build(Tokenizer tokenizer, string question, int imageTokenId) => Build(tokenizer, _beforeImage, question, imageTokenId);

    private Prompt Build(Tokenizer tokenizer, Part[] beforeImage, string question, int imageTokenId)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(question);
        ArgumentOutOfRangeException.ThrowIfNegative(imageTokenId);

        AddedToken? image = tokenizer.AddedTokenOf(imageTokenId);
        List<int> prefix = [.. tokenizer.Frame.Before];
        Encode(tokenizer, beforeImage, question: null, atStart: true, before: null, after: image, prefix);
        List<int> suffix = [];
        Encode(tokenizer, _afterImage, question, atStart: false, before: image, after: null, suffix);
        suffix.AddRange(tokenizer.Frame.After);
        return prefix.Contains(imageTokenId) || suffix.Contains(imageTokenId)
            ? throw new TokenizerException(TokenizerError.SpecialTokenInText, tokenizer.File, "text", $"the words around the image encode to the image token {imageTokenId} themselves")
            : new Prompt([.. prefix], [.. suffix]) { Question = question };
    }

    /// <summary>Encodes a further question in the same conversation.</summary>
    /// <param name="tokenizer">The checkpoint's tokenizer.</param>
    /// <param name="question">The question; never read as anything but plain text.</param>
    /// <returns>The ids that follow the last token of the answer. They begin with the token that ends the answer's turn, so the answer must be given without it.</returns>
    /// <exception cref="TokenizerException">The tokenizer lacks a token of the template, or the question cannot be encoded without a special token.</exception>
    public int[] BuildFollowUp(Tokenizer tokenizer, string question)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(question);
        List<int> ids = [];
        Encode(tokenizer, _followUp, question, atStart: false, before: null, after: null, ids);
        return [.. ids];
    }

    private static PromptTemplate Recognize(ChatTemplateFile template, string endOfSequence)
    {
        bool isChatMl = template.Has(TurnStart) && template.Has(TurnEnd);
        bool isLlava = template.Has("USER:") || (template.Has(".upper() + ': '") && template.Has("ASSISTANT:"));
        string[] foreign = ["<end_of_utterance>", "<|vision_start|>", "[INST]", "<|start_header_id|>", "<IMG_CONTEXT>", "<start_of_turn>"];
        string? other = Array.Find(foreign, template.Has);
        if (isChatMl == isLlava || other is not null)
        {
            throw new TokenizerException(
                TokenizerError.UnsupportedChatTemplate,
                template.File,
                template.Path,
                $"the chat template is of no supported form{(other is null ? "" : $" (it holds {other})")}; supported are LLaVA-1.5's \"USER: <image>\\n{Question} ASSISTANT:\" and ChatML's \"<|im_start|>user\\n<image>\\n{Question}<|im_end|>\\n<|im_start|>assistant\\n\"");
        }

        if (isLlava)
        {
            return MakeLlava15(template.File, template.Literal("A chat between ", "'s questions. ") ?? "", endOfSequence);
        }

        // Published templates differ in what follows the role and the end of a turn, and in where the line break after the image comes from.
        return MakeChatMl(
            template.File,
            template.Literal(TurnStart + "system\n", TurnEnd)?[(TurnStart.Length + "system\n".Length)..^TurnEnd.Length],
            afterRole: template.Has("message['role'] + ' '") ? " " : "\n",
            afterTurn: template.Has(TurnEnd + "\n") || template.Has(TurnEnd + "' + '\n'") ? "\n" : "",
            beforeText: template.Has("'\n' + content['text']") ? "\n" : "");
    }

    private static PromptTemplate MakeLlava15(string source, string system, string endOfSequence) => new(
        source,
        PromptForm.Llava15,
        afterTurn: "",
        [Part.Words("USER: ")],
        [Part.Words(system + "USER: ")],
        [Part.Words($"\n{Question} ASSISTANT:")],
        [Part.Token(endOfSequence), Part.Words($"USER: {Question} ASSISTANT:")]);

    private static PromptTemplate MakeChatMl(string source, string? system, string afterRole, string afterTurn, string beforeText)
    {
        Part[] systemTurn = system is null ? [] : [Part.Token(TurnStart), Part.Words("system\n" + system), Part.Token(TurnEnd), Part.Words(afterTurn)];
        Part[] answer = [Part.Token(TurnEnd), Part.Words(afterTurn), Part.Token(TurnStart), Part.Words("assistant\n")];
        return new PromptTemplate(
            source,
            PromptForm.ChatMl,
            afterTurn,
            [Part.Token(TurnStart), Part.Words("user" + afterRole)],
            [.. systemTurn, Part.Token(TurnStart), Part.Words("user" + afterRole)],
            [Part.Words("\n" + Question), .. answer],
            [Part.Token(TurnEnd), Part.Words(afterTurn), Part.Token(TurnStart), Part.Words($"user{afterRole}{beforeText}{Question}"), .. answer]);
    }

    private void Encode(Tokenizer tokenizer, Part[] parts, string? question, bool atStart, AddedToken? before, AddedToken? after, List<int> ids)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            AddedToken? token = parts[i].IsToken ? Find(tokenizer, parts[i].Text) : null;
            if (token is null)
            {
                // A token beside the words may claim the white space between them.
                AddedToken? next = i + 1 == parts.Length ? after : parts[i + 1].IsToken ? Find(tokenizer, parts[i + 1].Text) : null;
                string words = question is null ? parts[i].Text : parts[i].Text.Replace(Question, question, StringComparison.Ordinal);
                words = before is { StripsRight: true } ? words.TrimStart() : words;
                words = next is { StripsLeft: true } ? words.TrimEnd() : words;
                tokenizer.EncodeUntrusted(words, atStart && i == 0, ids);
            }
            else
            {
                ids.Add(token.Id);
            }

            before = token;
        }
    }

    private AddedToken Find(Tokenizer tokenizer, string token) =>
        tokenizer.TryGetId(token, out int id)
            ? tokenizer.AddedTokenOf(id) ?? new AddedToken(id, token, IsSpecial: true, false, false, false, false)
            : throw new TokenizerException(TokenizerError.UnknownToken, tokenizer.File, "$.added_tokens", $"the token \"{token}\", which the chat template of {_source} needs, is not in the vocabulary");
}

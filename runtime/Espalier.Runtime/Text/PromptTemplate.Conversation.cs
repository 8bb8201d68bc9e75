namespace Espalier.Text;

// Whole conversations; first and single further questions are in PromptTemplate.cs.
public sealed partial class PromptTemplate
{
    /// <summary>Encodes a conversation about an image.</summary>
    /// <param name="tokenizer">The checkpoint's tokenizer.</param>
    /// <param name="conversation">Questions and answers; never read as anything but plain text.</param>
    /// <param name="imageTokenId">The id that stands for the image in the checkpoint's config.</param>
    /// <returns>The ids before and after the image and, behind the first question, those of everything that came later. A longer conversation starts with the ids of a shorter one.</returns>
    /// <exception cref="TokenizerException">The tokenizer lacks a token of the template, or a text cannot be encoded without a special token.</exception>
    public Prompt BuildConversation(Tokenizer tokenizer, Conversation conversation, int imageTokenId)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(conversation);
        Part[] beforeImage = conversation.System is { } system ? BeforeImage(system) : _beforeImage;
        Prompt first = Build(tokenizer, beforeImage, conversation.FirstQuestion, imageTokenId);
        List<int> continuation = [];
        for (int i = 0; i < conversation.Earlier.Count; i++)
        {
            Exchange earlier = conversation.Earlier[i];
            EncodeAnswer(tokenizer, i == 0 ? _afterImage : _followUp, earlier, continuation);
            string next = i + 1 < conversation.Earlier.Count ? conversation.Earlier[i + 1].Question : conversation.Question;
            continuation.AddRange(BuildFollowUp(tokenizer, next));
        }

        return continuation.Contains(imageTokenId)
            ? throw new TokenizerException(TokenizerError.SpecialTokenInText, tokenizer.File, "text", $"the words of the conversation encode to the image token {imageTokenId} themselves")
            : first with { Continuation = [.. continuation] };
    }

    // The words of a system message, as the forms write them: a turn of its own, or words in front of the first turn.
    private Part[] BeforeImage(string system) => Form == PromptForm.Llava15
        ? [Part.Words(system.Length == 0 ? _openUser[0].Text : system + " " + _openUser[0].Text)]
        : [Part.Token(TurnStart), Part.Words("system\n" + system), Part.Token(TurnEnd), Part.Words(_afterTurn), .. _openUser];

    // The ids that an answer adds to the words which end in "ASSISTANT:". Encoded together with them, because a tokenizer may put
    // white space in front of every text that it is given alone.
    private void EncodeAnswer(Tokenizer tokenizer, Part[] question, Exchange exchange, List<int> ids)
    {
        Part last = question[^1];
        string words = last.Text.Replace(Question, exchange.Question, StringComparison.Ordinal);
        string answer = (Form == PromptForm.Llava15 ? " " : "") + exchange.Answer.TrimStart();
        if (Find(tokenizer, _followUp[0].Text).StripsLeft)
        {
            answer = answer.TrimEnd();
        }

        List<int> before = [], both = [];
        tokenizer.EncodeUntrusted(words, atStart: false, before);
        tokenizer.EncodeUntrusted(words + answer, atStart: false, both);
        if (both.Count >= before.Count && both.GetRange(0, before.Count).SequenceEqual(before))
        {
            ids.AddRange(both.Skip(before.Count));
        }
        else
        {
            // The first word of the answer joins the last of the question in one token. The model never saw it so: it answered behind whole tokens.
            tokenizer.EncodeUntrusted(answer, atStart: false, ids);
        }
    }
}

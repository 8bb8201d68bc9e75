namespace Espalier.Text;

/// <summary>A conversation about one image: what was asked and answered, and what is asked now. The image belongs to the first question.</summary>
/// <remarks>Nothing in it is read as anything but plain text. Immutable and thread-safe as long as nobody changes the list behind <see cref="Earlier"/>.</remarks>
public sealed record Conversation
{
    /// <summary>Makes a conversation.</summary>
    /// <param name="question">The question to answer now.</param>
    /// <param name="earlier">Earlier questions and their answers, oldest first; null if there are none.</param>
    public Conversation(string question, IReadOnlyList<Exchange>? earlier = null)
    {
        ArgumentNullException.ThrowIfNull(question);
        Question = question;
        Earlier = earlier ?? [];
    }

    /// <summary>The question to answer now.</summary>
    public string Question { get; }

    /// <summary>Earlier questions and their answers, oldest first.</summary>
    public IReadOnlyList<Exchange> Earlier { get; }

    /// <summary>The words before the conversation, in place of the template's own; null (the default) leaves those.</summary>
    public string? System { get; init; }

    /// <summary>The question that came with the image.</summary>
    internal string FirstQuestion => Earlier.Count == 0 ? Question : Earlier[0].Question;
}

/// <summary>A question that was answered.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Question">The question.</param>
/// <param name="Answer">The answer, without the white space that a model puts in front of it.</param>
public sealed record Exchange(string Question, string Answer);

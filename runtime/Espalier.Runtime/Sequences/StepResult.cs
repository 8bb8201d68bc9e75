namespace Espalier;

/// <summary>How a prefill or decode step ended.</summary>
public enum StepResult
{
    /// <summary>The logits of the next token are ready.</summary>
    Ready,

    /// <summary>The sequence has no room for the rows; nothing was run and nothing was changed. Start a sequence with a larger capacity.</summary>
    CapacityExhausted,
}

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>No answer has ended yet.</summary>
    None,

    /// <summary>The model produced a stop token.</summary>
    Stop,

    /// <summary><see cref="AnswerOptions.MaxNewTokens"/> was reached.</summary>
    MaxNewTokens,

    /// <summary>One of <see cref="AnswerOptions.StopSequences"/> came.</summary>
    StopSequence,

    /// <summary>The sequence was full.</summary>
    CapacityExhausted,

    /// <summary>The caller cancelled.</summary>
    Cancelled,
}

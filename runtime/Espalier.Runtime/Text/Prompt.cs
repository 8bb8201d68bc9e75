namespace Espalier.Text;

/// <summary>A prompt cut at the image: the visual tokens go between the two.</summary>
/// <remarks>The arrays are not copied: thread-safe as long as nobody changes them.</remarks>
/// <param name="Prefix">The ids before the image, with the beginning-of-sequence token if the tokenizer adds one.</param>
/// <param name="Suffix">The ids after the image, up to where the answer begins.</param>
public sealed record Prompt(int[] Prefix, int[] Suffix)
{
    /// <summary>The ids that follow the suffix in a longer conversation: answers and further questions, up to where the next answer begins. Empty for a first question.</summary>
    public int[] Continuation { get; init; } = [];

    /// <summary>The first question as it was asked, for methods that read it with a tokenizer of their own; null if only ids are known.</summary>
    public string? Question { get; init; }
}

/// <summary>The forms of prompt that are known.</summary>
public enum PromptForm
{
    /// <summary>LLaVA-1.5: <c>USER: &lt;image&gt;\n{question} ASSISTANT:</c>.</summary>
    Llava15,

    /// <summary>ChatML, as LLaVA-OneVision and Qwen2 use it: <c>&lt;|im_start|&gt;user\n&lt;image&gt;\n{question}&lt;|im_end|&gt;\n&lt;|im_start|&gt;assistant\n</c>.</summary>
    ChatMl,
}

using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>SepLLM (Chen et al., "SepLLM: Accelerate Large Language Models by Compressing One Segment into One Separator", ICML 2025, arXiv 2412.12094): of the text, the first <see cref="A"/> tokens, the separators
/// and the <see cref="N"/> nearest tokens stay in the KV caches; the others leave when a separator has ended their segment.</summary>
/// <remarks>
/// <para>Visual tokens stay, and are not counted among the neighbours. Separators are the tokens of the checkpoint's tokenizer that consist of <c>. , ? ! ; :</c>, spaces, tabs and line feeds alone.</para>
/// <para>Rows leave between the steps of decode, and between the pieces of text that is added; prefill attends to all of them. Those that stay keep their positions. <c>AnswerStatistics.EvictedTextTokens</c> says how many have left.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class SepLlmAttribute : VisualPolicyAttribute
{
    /// <summary>The paper's a: text tokens at the beginning of the prompt that stay; 3 unless set, the paper's for Llama 3 without training.</summary>
    public int A { get; set; } = 3;

    /// <summary>The paper's n: the nearest text tokens that stay, counted back from the separator that ended the last segment, itself among them; 256 unless set, the paper's for Llama 3 without training. At least 1.</summary>
    public int N { get; set; } = 256;
}

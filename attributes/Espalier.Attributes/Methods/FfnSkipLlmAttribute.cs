using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>FFN-SkipLLM ("FFN-SkipLLM: A Hidden Gem for Autoregressive Decoding with Adaptive Feed Forward Skipping", EMNLP 2024, arXiv 2404.03865): in decode, once a feed-forward layer hardly turns its row, those of the next <see cref="K"/> layers are skipped.</summary>
/// <remarks>
/// <para>Token by token: the cosine of the row before the feed-forward layer and behind its residual decides. Attention always runs, so every layer keeps its KV row. Prefill, and text that is added to a conversation, run whole.
/// <c>AnswerStatistics.SkippedFeedForwards</c> says what happened.</para>
/// <para>Threshold, run length, cold bounds and warm-up are unpublished in our sources: all of them are parameters, and the defaults are ours.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class FfnSkipLlmAttribute : VisualPolicyAttribute
{
    /// <summary>The paper's tau, above -1 and up to 1: the cosine from which on the following feed-forward layers are skipped; 0.98 unless set. At 1 hardly anything is skipped.</summary>
    public double Tau { get; set; } = 0.98;

    /// <summary>The paper's k: feed-forward layers that are then skipped; 2 unless set.</summary>
    public int K { get; set; } = 2;

    /// <summary>Layers at the beginning whose feed-forward layers always run; 2 unless set. With <see cref="ColdLast"/> it leaves at least two layers of the model.</summary>
    public int ColdFirst { get; set; } = 2;

    /// <summary>Layers at the end whose feed-forward layers always run; 2 unless set.</summary>
    public int ColdLast { get; set; } = 2;

    /// <summary>Decode steps at the beginning of each answer that skip nothing; 2 unless set. The first token of an answer comes from prefill and is not one of them.</summary>
    public int WarmUp { get; set; } = 2;
}

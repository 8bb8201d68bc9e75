namespace Espalier;

/// <summary>Where a sequence of a batch keeps its numbers: each its share of the memory that one decode step of all of them works on.</summary>
/// <param name="Arrays">The KV caches of the batch; null on a device, where each sequence has a cache of its own.</param>
/// <param name="Logits">The logits of the batch.</param>
/// <param name="Prefill">What prompts are computed in, one after another.</param>
/// <param name="Slot">Which of the batch's sequences it is, from 0.</param>
internal sealed record BatchPlace(KeyValueArrays? Arrays, BatchLogits Logits, PrefillMemory Prefill, int Slot);

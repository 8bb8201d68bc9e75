namespace Espalier;

/// <summary>The number format of the linear layers of a model: of the decoder, its head, the vision tower and the projector.</summary>
/// <remarks>
/// <para>With integer weights, norms, embeddings, rotary angles, attention and the KV cache stay in single precision throughout. In half precision they take 16 bits too; what ranks, mixes and selects tokens does not.</para>
/// <para>Times are one layer of 896 x 4864 on a CPU with VNNI, relative to <see cref="Float32"/>.</para>
/// </remarks>
public enum Precision
{
    /// <summary>Single precision: the numbers of the checkpoint.</summary>
    Float32,

    /// <summary>Eight-bit weights, a scale for each output; activations in eight bits, a scale for each token. The fastest prefill: 0.3 of the time, in decode too; a quarter of the memory.</summary>
    Int8,

    /// <summary>Four-bit weights in blocks of 128 for the decoder and its head; the vision tower and the projector as in <see cref="Int8"/>, which is both faster and more exact there.
    /// The fastest decode: 0.2 of the time; prefill 0.66; an eighth of the memory. On WebGPU tower and projector stay in single precision.</summary>
    Int4,

    /// <summary>Both: rows of a prompt as in <see cref="Int8"/>, decode steps and the head as in <see cref="Int4"/>, over one KV cache. The fastest of each, for the memory of both.</summary>
    Int8PrefillInt4Decode,

    /// <summary>Half precision, for CUDA: weights, rows and the KV cache in IEEE's 16 bits, sums in 32; half the memory of <see cref="Float32"/>. The CPU runs it for comparison only, and slower than <see cref="Float32"/>: it converts around every layer.</summary>
    Float16,

    /// <summary>Half precision, for CUDA: as <see cref="Float16"/>, in bfloat16, which has the range of single precision and 8 bits of it. The CPU does not run it.</summary>
    BFloat16,
}

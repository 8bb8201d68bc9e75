using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The logits of the sequences of a batch: <c>float [sequences, 1, vocabulary]</c>.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class BatchLogits(int vocabulary, int sequences) : IDisposable
{
    private readonly NativeBuffer _memory = NativeBuffer.Allocate<float>((long)vocabulary * sequences);

    /// <summary>The logits of one sequence.</summary>
    public nint Of(int sequence) => checked(_memory.Pointer + (nint)((long)sequence * vocabulary * sizeof(float)));

    /// <summary>The logits of all of them.</summary>
    public Span<float> All => _memory.Slice<float>(0, vocabulary * sequences);

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}

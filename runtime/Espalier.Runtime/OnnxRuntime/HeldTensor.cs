namespace Espalier.OnnxRuntime;

/// <summary>A raw tensor of <see cref="OrtRaw"/> and who lets go of it: its owner or, where nobody disposed that, the finalizer. It can be made anew without managed memory.</summary>
/// <remarks>The tensor never owns the memory that it covers and does not touch it when it goes, so it does not matter which of the two goes first. Not thread-safe.</remarks>
/// <param name="value">The tensor; 0 for none yet.</param>
internal sealed class HeldTensor(nint value = 0) : IDisposable
{
    /// <summary>Lets go of a tensor whose owner was forgotten.</summary>
    ~HeldTensor() => Replace(0);

    /// <summary>The tensor, for <see cref="OrtBinding"/>; 0 if there is none.</summary>
    public nint Value { get; private set; } = value;

    /// <summary>Holds another tensor, or by 0 none, and releases the one before.</summary>
    public void Replace(nint value)
    {
        if (Value != 0)
        {
            OrtRaw.ReleaseValue(Value);
        }

        Value = value;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Replace(0);
        GC.SuppressFinalize(this);
    }
}

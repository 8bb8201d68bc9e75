namespace Espalier.OnnxRuntime;

/// <summary>How bytes get from the host to a device and back. The caller holds <see cref="DeviceGate"/> while it copies.</summary>
internal abstract class DeviceCopies : IDisposable
{
    /// <summary>Copies a tensor between the runs before and after it. The copy may go on behind the call: see <see cref="Wait"/>.</summary>
    /// <param name="source">The tensor that is read.</param>
    /// <param name="destination">The one that is written, of the same size.</param>
    /// <param name="bytes">The size.</param>
    public abstract void Copy(nint source, nint destination, nuint bytes);

    /// <summary>Waits for all copies and runs.</summary>
    public abstract void Wait();

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }
}

/// <summary>Copies by ONNX Runtime that have ended when the call returns, behind all runs before them.</summary>
internal sealed unsafe class BlockingCopies : DeviceCopies
{
    /// <summary>The one instance.</summary>
    public static readonly BlockingCopies Instance = new();

    /// <inheritdoc/>
    public override void Copy(nint source, nint destination, nuint bytes) =>
        OrtStatus.Check(OrtApi.Current.CopyTensors(OrtEnvironment.Shared.DangerousGetHandle(), &source, &destination, 0, 1), "copy between host and device");

    /// <inheritdoc/>
    public override void Wait()
    {
        // A copy to the host has waited.
    }
}

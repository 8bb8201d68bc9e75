using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Lowering;

/// <summary>Asks a device where its sessions read and write.</summary>
internal static class MemoryProbe
{
    /// <summary>Opens the memory of a device by the smallest graph there is, which is not run.</summary>
    /// <exception cref="ExecutionProviderNotAvailableException">The device cannot be used.</exception>
    public static DeviceMemory Open(ExecutionProvider provider) =>
        provider.UsesHostMemory ? DeviceMemory.Host : DeviceMemory.Open(provider, RowGraphs.Gather(width: 4).Bytes);
}

using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>What of a KV cache lies on a device: keys and values of each layer, and the index of the last row, which sessions read there.</summary>
/// <remarks>Layers run one behind the other and read one number, which goes up only where it changes from layer to layer: once a step for all layers that hold as many rows. Not thread-safe.</remarks>
internal sealed unsafe class RemoteRows : IDisposable
{
    private readonly DeviceMemory _memory;
    private readonly DeviceBuffer _lastRow;

    // One a layer: what the device is still to copy from stays as it is.
    private readonly HostBuffer[] _announced;
    private int _there = -1;

    public RemoteRows(KeyValueArrays arrays, DeviceMemory memory)
    {
        int layers = arrays.Text.Layers;
        _memory = memory;
        Keys = new TensorMemory[layers];
        Values = new TensorMemory[layers];
        _announced = new HostBuffer[layers];
        _lastRow = memory.Allocate(sizeof(int));
        try
        {
            for (int layer = 0; layer < layers; layer++)
            {
                Keys[layer] = new TensorMemory(memory, arrays.Bytes(layer));
                Values[layer] = new TensorMemory(memory, arrays.Bytes(layer));
                _announced[layer] = memory.AllocateHost(sizeof(int));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The keys of each layer.</summary>
    public TensorMemory[] Keys { get; }

    /// <summary>The values of each layer.</summary>
    public TensorMemory[] Values { get; }

    /// <summary>Creates a tensor over the index of the last row: i32 [1]. The caller releases it.</summary>
    public nint CreateLastRow() => _memory.CreateTensor(_lastRow, sizeof(int), [1], OrtElementType.Int32);

    /// <summary>Tells the sessions of the layer that runs next which row is the last.</summary>
    public void Announce(int layer, int lastRow)
    {
        if (lastRow == _there)
        {
            return;
        }

        HostBuffer host = _announced[layer];
        host.AwaitUpload(_memory);
        *(int*)host.Pointer = lastRow;
        _there = -1;
        _memory.Upload(host, _lastRow, sizeof(int));
        _there = lastRow;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TensorMemory[] memories in (ReadOnlySpan<TensorMemory[]>)[Keys, Values])
        {
            foreach (TensorMemory? memory in memories)
            {
                memory?.Dispose();
            }
        }

        foreach (HostBuffer? announced in _announced)
        {
            announced?.Dispose();
        }

        _lastRow.Dispose();
    }
}

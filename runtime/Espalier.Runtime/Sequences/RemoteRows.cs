using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>What of a KV cache lies on a device: keys and values, and the index of the last row, which a session reads there.</summary>
internal sealed class RemoteRows : IDisposable
{
    public RemoteRows(KeyValueArrays arrays, DeviceMemory memory)
    {
        int layers = arrays.Text.Layers;
        Keys = new TensorMemory[layers];
        Values = new TensorMemory[layers];
        LastRows = new TensorMemory[layers];
        try
        {
            for (int layer = 0; layer < layers; layer++)
            {
                Keys[layer] = new TensorMemory(memory, arrays.Bytes(layer));
                Values[layer] = new TensorMemory(memory, arrays.Bytes(layer));
                LastRows[layer] = new TensorMemory(memory, sizeof(int));
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

    /// <summary>The index of the last row in use of each layer.</summary>
    public TensorMemory[] LastRows { get; }

    /// <summary>Tells a layer's sessions which row is the last.</summary>
    public void Announce(int layer, int lastRow)
    {
        LastRows[layer].Span<int>(1)[0] = lastRow;
        LastRows[layer].Upload(sizeof(int));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TensorMemory[] memories in (ReadOnlySpan<TensorMemory[]>)[Keys, Values, LastRows])
        {
            foreach (TensorMemory? memory in memories)
            {
                memory?.Dispose();
            }
        }
    }
}

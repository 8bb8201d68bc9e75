using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.Graphs.Lowering;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The weights of a checkpoint in the memory of a device: each is uploaded once, and every session that reads it reads that copy.</summary>
/// <remarks>Not thread-safe: <see cref="SessionCache"/> holds its lock. Each session holds its tensors.</remarks>
internal sealed class DeviceWeights(ExecutionProvider provider, DeviceMemory memory) : IDisposable
{
    private readonly Dictionary<(string? File, string Name), OrtValue> _values = [];

    private bool? _attentionIsExact;
    private bool? _fourBitsAreExact;

    /// <summary>True if the device's attention over many rows is right; asked once.</summary>
    public bool AttentionIsExact => _attentionIsExact ??= !provider.RewritesGraphs || AttentionProbe.IsExact(provider, memory);

    /// <summary>True if the device's products of four-bit weights are right; asked once.</summary>
    public bool IsExact(Int4Blocks format) => _fourBitsAreExact ??= FormatProbe.IsExact(format, provider, memory);

    /// <summary>The memory.</summary>
    public DeviceMemory Memory => memory;

    /// <summary>Bytes of all weights that were uploaded.</summary>
    public long ByteLength => _values.Values.Sum(static value => (long)value.ByteLength);

    /// <summary>The tensor of a weight.</summary>
    /// <param name="use">Name and shape as the graph declares them.</param>
    /// <param name="file">The file of learned weights that it comes from; null for the checkpoint.</param>
    /// <param name="read">Reads the weight as it is stored, into a tensor of the host.</param>
    /// <param name="disposes">True if that tensor is disposed behind the upload.</param>
    /// <exception cref="DeviceMemoryException">The device has no room for it.</exception>
    public OrtValue Get(WeightUse use, string? file, Func<WeightUse, OrtValue> read, bool disposes)
    {
        if (!_values.TryGetValue((file, use.Name), out OrtValue? value))
        {
            OrtValue stored = read(use.TransposeOf ?? use);
            using OrtValue? mine = disposes ? stored : null;
            using OrtValue? transposed = use.TransposeOf is null ? null : Transpose(stored, use);
            using DeviceBuffer buffer = memory.Allocate((nuint)use.ByteCount);
            memory.Upload((transposed ?? stored).DataPointer, buffer, (nuint)use.ByteCount);
            value = OrtValue.Over(memory, buffer, use.Shape, use.Type);
            _values.Add((file, use.Name), value);
        }

        return value;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OrtValue value in _values.Values)
        {
            value.Dispose();
        }

        _values.Clear();
        memory.Dispose();
    }

    private static OrtValue Transpose(OrtValue stored, WeightUse use)
    {
        // In tiles: both sides of a tile fit into the cache of the processor.
        const int Tile = 32;
        var (rows, columns) = ((int)use.Shape[1], (int)use.Shape[0]);
        OrtValue transposed = OrtValue.Allocate(use.Shape, use.Type);
        ReadOnlySpan<float> source = stored.AsSpan<float>();
        Span<float> target = transposed.AsSpan<float>();
        for (int firstRow = 0; firstRow < rows; firstRow += Tile)
        {
            for (int firstColumn = 0; firstColumn < columns; firstColumn += Tile)
            {
                for (int row = firstRow; row < Math.Min(rows, firstRow + Tile); row++)
                {
                    for (int column = firstColumn; column < Math.Min(columns, firstColumn + Tile); column++)
                    {
                        target[(column * rows) + row] = source[(row * columns) + column];
                    }
                }
            }
        }

        return transposed;
    }
}

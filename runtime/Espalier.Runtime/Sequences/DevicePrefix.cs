using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The KV rows of a prefix in the memory of a device, taken out of one cache and put into others by two small graphs: none of them passes the host.</summary>
/// <remarks>Not thread-safe: <see cref="PrefixCache"/> holds its lock.</remarks>
internal sealed class DevicePrefix : IDisposable
{
    private readonly LayerBinding _put;
    private readonly DeviceTensor[] _keys;
    private readonly DeviceTensor[] _values;
    private readonly DeviceTensor _count = new(DeviceMemory.Host, [1], OrtElementType.Int64);

    private DevicePrefix(ModelSessions sessions, ReadOnlySpan<int> prefix)
    {
        TextGeometry text = sessions.Geometry.Text;
        Prefix = prefix.ToArray();
        _count.Span<long>()[0] = prefix.Length;
        _keys = new DeviceTensor[text.Layers];
        _values = new DeviceTensor[text.Layers];
        _put = new LayerBinding(sessions.PutPrefix!);
        _put.BindInput("kept\0"u8, _count.Value);
        ReadOnlySpan<long> shape = [1, text.KeyValueHeads, prefix.Length, text.HeadDim];
        try
        {
            for (int layer = 0; layer < text.Layers; layer++)
            {
                _keys[layer] = new DeviceTensor(sessions.Memory, shape, sessions.Rows);
                _values[layer] = new DeviceTensor(sessions.Memory, shape, sessions.Rows);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The tokens of the prefix.</summary>
    public int[] Prefix { get; }

    /// <summary>Copies the first rows of a cache.</summary>
    /// <param name="sessions">The sessions of the model.</param>
    /// <param name="prefix">The tokens whose rows they are.</param>
    /// <param name="cache">The cache.</param>
    /// <exception cref="DeviceMemoryException">The device has no room for a copy.</exception>
    public static DevicePrefix Take(ModelSessions sessions, ReadOnlySpan<int> prefix, KeyValueCache cache)
    {
        var taken = new DevicePrefix(sessions, prefix);
        try
        {
            using var take = new LayerBinding(sessions.TakePrefix!);
            take.BindInput("kept\0"u8, taken._count.Value);
            for (int layer = 0; layer < taken._keys.Length; layer++)
            {
                (nint keys, nint values) = cache.TensorsOf(layer);
                take.BindInput("past_key\0"u8, keys);
                take.BindInput("past_value\0"u8, values);
                take.BindOutput("prefix_key\0"u8, taken._keys[layer].Value);
                take.BindOutput("prefix_value\0"u8, taken._values[layer].Value);
                take.Run();
            }

            return taken;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Writes the rows to the beginning of a cache of the same model, of any capacity.</summary>
    public void Put(KeyValueCache cache)
    {
        for (int layer = 0; layer < _keys.Length; layer++)
        {
            (nint keys, nint values) = cache.TensorsOf(layer);
            _put.BindInput("prefix_key\0"u8, _keys[layer].Value);
            _put.BindInput("prefix_value\0"u8, _values[layer].Value);
            _put.BindInput("past_key\0"u8, keys);
            _put.BindInput("past_value\0"u8, values);
            _put.BindOutput("present_key\0"u8, keys);
            _put.BindOutput("present_value\0"u8, values);
            _put.Run();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _put.Dispose();
        _count.Dispose();
        for (int layer = 0; layer < _keys.Length; layer++)
        {
            _keys[layer]?.Dispose();
            _values[layer]?.Dispose();
        }
    }
}

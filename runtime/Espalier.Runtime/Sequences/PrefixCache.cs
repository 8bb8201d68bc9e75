using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The KV rows of the last prompt prefix that a model ran. They do not depend on the image, so every later sequence with the same prefix copies them in place of running it.</summary>
/// <remarks>Thread-safe. It is a second copy of the rows, where the caches lie: in managed memory, or in that of the device. A prefix that would need more than <see cref="MaximumBytes"/>, or more than the device has left, is not remembered; nor is one in half precision on the CPU.</remarks>
/// <param name="sessions">The sessions of the model, which outlive this.</param>
internal sealed class PrefixCache(ModelSessions sessions) : IDisposable
{
    /// <summary>The largest copy that is kept.</summary>
    public const long MaximumBytes = 256L << 20;

    private readonly Lock _lock = new();
    private Entry? _entry;
    private DevicePrefix? _onDevice;

    /// <summary>Fills <paramref name="cache"/> with the rows of <paramref name="prefix"/> if they are known.</summary>
    /// <returns>True if the rows are in place; the caller sets the lengths.</returns>
    public bool TryRestore(ReadOnlySpan<int> prefix, KeyValueCache cache)
    {
        if (cache.IsOnHost)
        {
            // Immutable, and swapped whole: whoever copies it is not waited for.
            Entry? entry = Volatile.Read(ref _entry);
            if (entry is null || !prefix.SequenceEqual(entry.Prefix))
            {
                return false;
            }

            cache.CopyPrefixFrom(entry.Rows, prefix.Length);
            return true;
        }

        lock (_lock)
        {
            if (_onDevice is null || !prefix.SequenceEqual(_onDevice.Prefix))
            {
                return false;
            }

            _onDevice.Put(cache);
            return true;
        }
    }

    /// <summary>Remembers the rows of a prefix that has just been run.</summary>
    public void Store(ReadOnlySpan<int> prefix, KeyValueCache cache)
    {
        long numbers = prefix.Length * cache.FloatsPerRow;
        if (numbers * sessions.Rows.Size() > MaximumBytes)
        {
            return;
        }

        if (cache.IsOnHost)
        {
            var rows = new float[numbers];
            cache.CopyPrefixTo(rows, prefix.Length);
            Volatile.Write(ref _entry, new Entry(prefix.ToArray(), rows));
        }
        else if (!sessions.Memory.IsHost)
        {
            StoreOnDevice(prefix, cache);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _onDevice?.Dispose();
            _onDevice = null;
        }
    }

    private void StoreOnDevice(ReadOnlySpan<int> prefix, KeyValueCache cache)
    {
        lock (_lock)
        {
            // First the old copy goes: two of them need not fit.
            _onDevice?.Dispose();
            _onDevice = null;
            try
            {
                _onDevice = DevicePrefix.Take(sessions, prefix, cache);
            }
            catch (DeviceMemoryException)
            {
                // The prompt itself has its rows and goes on.
            }
        }
    }

    private sealed record Entry(int[] Prefix, float[] Rows);
}

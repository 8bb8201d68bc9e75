namespace Espalier;

/// <summary>The KV rows of the last prompt prefix that a model ran. They do not depend on the image, so every later sequence with the same prefix copies them in place of running it.</summary>
/// <remarks>Thread-safe: the entry is immutable and swapped whole. It is a second copy of the rows, in managed memory; a prefix that would need more than <see cref="MaximumBytes"/> is not remembered, and none whose rows lie on a device.</remarks>
internal sealed class PrefixCache
{
    /// <summary>The largest copy that is kept.</summary>
    public const long MaximumBytes = 256L << 20;

    private Entry? _entry;

    /// <summary>Fills <paramref name="cache"/> with the rows of <paramref name="prefix"/> if they are known.</summary>
    /// <returns>True if the rows are in place; the caller sets the lengths.</returns>
    public bool TryRestore(ReadOnlySpan<int> prefix, KeyValueCache cache)
    {
        Entry? entry = Volatile.Read(ref _entry);
        if (entry is null || !cache.IsOnHost || !prefix.SequenceEqual(entry.Prefix))
        {
            return false;
        }

        cache.CopyPrefixFrom(entry.Rows, prefix.Length);
        return true;
    }

    /// <summary>Remembers the rows of a prefix that has just been run.</summary>
    public void Store(ReadOnlySpan<int> prefix, KeyValueCache cache)
    {
        long floats = (long)prefix.Length * cache.FloatsPerRow;
        if (floats * sizeof(float) > MaximumBytes || !cache.IsOnHost)
        {
            return;
        }

        var rows = new float[floats];
        cache.CopyPrefixTo(rows, prefix.Length);
        Volatile.Write(ref _entry, new Entry(prefix.ToArray(), rows));
    }

    private sealed record Entry(int[] Prefix, float[] Rows);
}

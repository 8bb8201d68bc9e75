namespace Espalier;

/// <summary>The KV rows of the last prompt prefix that a model ran. They do not depend on the image, so every later sequence with the same prefix copies them in place of running it.</summary>
/// <remarks>Thread-safe: the entry is immutable and swapped whole.</remarks>
internal sealed class PrefixCache
{
    private Entry? _entry;

    /// <summary>Fills <paramref name="cache"/> with the rows of <paramref name="prefix"/> if they are known.</summary>
    /// <returns>True if the rows are in place; the caller sets the lengths.</returns>
    public bool TryRestore(ReadOnlySpan<int> prefix, KeyValueCache cache)
    {
        Entry? entry = Volatile.Read(ref _entry);
        if (entry is null || !prefix.SequenceEqual(entry.Prefix))
        {
            return false;
        }

        cache.CopyPrefixFrom(entry.Rows, prefix.Length);
        return true;
    }

    /// <summary>Remembers the rows of a prefix that has just been run.</summary>
    public void Store(ReadOnlySpan<int> prefix, KeyValueCache cache, int floatsPerRow)
    {
        var rows = new float[checked(prefix.Length * floatsPerRow)];
        cache.CopyPrefixTo(rows, prefix.Length);
        Volatile.Write(ref _entry, new Entry(prefix.ToArray(), rows));
    }

    private sealed record Entry(int[] Prefix, float[] Rows);
}

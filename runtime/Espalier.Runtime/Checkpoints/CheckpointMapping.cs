using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Espalier;

/// <summary>The mapped shards of one checkpoint and the count of those who still read them.</summary>
/// <remarks>The checkpoint holds the first reference, each lease one more; the last one to go unmaps. Thread-safe. If all of them are lost without being disposed, the views' own handles unmap on finalisation.</remarks>
internal sealed class CheckpointMapping
{
    private readonly List<(MemoryMappedFile File, MemoryMappedViewAccessor View)> _views = [];
    private int _references = 1;

    /// <summary>True until the last reference was released.</summary>
    public bool IsMapped => Volatile.Read(ref _references) > 0;

    /// <summary>Maps a whole file for reading and returns its first byte. Only before the mapping is shared.</summary>
    /// <remarks>Takes the handle over: it stays open as long as the view, because it carries the lock that keeps writers away.</remarks>
    public nint Map(SafeFileHandle handle, long length, string path)
    {
        MemoryMappedFile? file = null;
        try
        {
            file = MemoryMappedFile.CreateFromFile(handle, mapName: null, length, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            MemoryMappedViewAccessor view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            _views.Add((file, view));
            return view.SafeMemoryMappedViewHandle.DangerousGetHandle() + (nint)view.PointerOffset;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            file?.Dispose();
            handle.Dispose();
            throw new CheckpointFileUnreadableException(path, "the file cannot be mapped: " + exception.Message, exception);
        }
    }

    /// <summary>Takes a reference; false if the shards are already unmapped.</summary>
    public bool TryAddReference()
    {
        int references = Volatile.Read(ref _references);
        while (references > 0)
        {
            int seen = Interlocked.CompareExchange(ref _references, references + 1, references);
            if (seen == references)
            {
                return true;
            }

            references = seen;
        }

        return false;
    }

    /// <summary>Gives a reference back; the last one unmaps the shards.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            foreach ((MemoryMappedFile file, MemoryMappedViewAccessor view) in _views)
            {
                view.Dispose();
                file.Dispose();
            }
        }
    }
}

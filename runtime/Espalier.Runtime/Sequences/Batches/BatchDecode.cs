using Espalier.Planning;

namespace Espalier;

/// <summary>Decode steps of several sequences at once: a row of each goes through every layer, so that weights are read once for all of them; each row attends to the KV cache of its own sequence.</summary>
/// <remarks>
/// <para>Sequences take part by their slot; a slot that rests computes a row that nobody reads.
/// What a plan did to visual tokens is in the lengths of the caches and the numbering of the rows, so every plan decodes by this one loop.</para>
/// <para>A step allocates nothing managed. Not thread-safe.</para>
/// </remarks>
internal abstract class BatchDecode : IDisposable
{
    private readonly KeyValueCache?[] _loaded;

    /// <summary>Binds nothing yet: the first step does.</summary>
    protected BatchDecode(ModelSessions sessions, int slots)
    {
        _loaded = new KeyValueCache?[slots];
        Text = sessions.Geometry.Text;
        Numberings = [.. Enumerable.Range(0, Text.Layers).Select(sessions.NumberingAt)];
    }

    /// <summary>The decoder.</summary>
    protected TextGeometry Text { get; }

    /// <summary>The numbering of the rows in each layer, ascending from 0.</summary>
    protected int[] Numberings { get; }

    /// <summary>Slots.</summary>
    protected int Slots => _loaded.Length;

    /// <summary>Puts the token of a sequence in place for the next step.</summary>
    /// <param name="slot">The sequence's slot.</param>
    /// <param name="cache">Its KV cache, which has room for a row.</param>
    /// <param name="embeddings">The table.</param>
    /// <param name="token">The token.</param>
    /// <param name="position">Its position.</param>
    /// <param name="shifts">By how much the position is smaller in each numbering of the rows.</param>
    public void Load(int slot, KeyValueCache cache, EmbeddingTable embeddings, int token, int position, ReadOnlySpan<int> shifts)
    {
        embeddings.Read([token], Row(slot));
        for (int numbering = 0; numbering < shifts.Length; numbering++)
        {
            Positions(numbering)[slot] = position - shifts[numbering];
        }

        _loaded[slot] = cache;
    }

    /// <summary>Runs a step of the loaded sequences. Their logits are in place afterwards and their caches longer by a row; the next step loads anew.</summary>
    /// <param name="caches">The cache of every slot.</param>
    /// <param name="cancellationToken">Looked at before each layer.</param>
    /// <exception cref="OperationCanceledException">Cancelled: the caches hold rows of some layers only.</exception>
    public void Run(ReadOnlySpan<KeyValueCache> caches, CancellationToken cancellationToken)
    {
        int sequences = Slots;
        while (sequences > 0 && _loaded[sequences - 1] is null)
        {
            sequences--;
        }

        if (sequences == 0)
        {
            return;
        }

        try
        {
            sequences = Bind(sequences, caches);
            ClearResting(sequences);
            RunLayers(caches[..sequences], cancellationToken);
            foreach (KeyValueCache? cache in _loaded.AsSpan(0, sequences))
            {
                for (int layer = 0; cache is not null && layer < Text.Layers; layer++)
                {
                    cache.Advance(layer, 1);
                }
            }
        }
        finally
        {
            Array.Clear(_loaded);
        }
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>The row of a slot, for the host to write.</summary>
    protected abstract Span<float> Row(int slot);

    /// <summary>The positions of all slots in a numbering, for the host to write.</summary>
    protected abstract Span<long> Positions(int numbering);

    /// <summary>Binds the first slots, if they are not bound.</summary>
    /// <param name="sequences">Slots, up to the last that is loaded.</param>
    /// <param name="caches">The cache of every slot.</param>
    /// <returns>How many slots the step runs: these, or more.</returns>
    protected abstract int Bind(int sequences, ReadOnlySpan<KeyValueCache> caches);

    /// <summary>Runs all layers, each behind <see cref="Announce"/>, and the head, and puts the logits in place.</summary>
    /// <param name="caches">The cache of every slot that runs.</param>
    /// <param name="cancellationToken">Looked at before each layer.</param>
    protected abstract void RunLayers(ReadOnlySpan<KeyValueCache> caches, CancellationToken cancellationToken);

    /// <summary>Tells the next run of a layer which rows are new.</summary>
    protected void Announce(int layer, ReadOnlySpan<KeyValueCache> caches)
    {
        for (int slot = 0; slot < caches.Length; slot++)
        {
            if (_loaded[slot] is null)
            {
                caches[slot].AnnounceUnread(layer);
            }
            else
            {
                caches[slot].Announce(layer, 1);
            }
        }
    }

    private void ClearResting(int sequences)
    {
        for (int slot = 0; slot < sequences; slot++)
        {
            // A row of zeros: whatever scale the kernel takes for all rows together, this one does not widen it.
            if (_loaded[slot] is null)
            {
                Row(slot).Clear();
                for (int numbering = 0; numbering <= Numberings[^1]; numbering++)
                {
                    Positions(numbering)[slot] = 0;
                }
            }
        }
    }
}

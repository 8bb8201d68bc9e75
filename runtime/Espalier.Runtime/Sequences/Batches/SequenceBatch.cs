using Espalier.Planning;

namespace Espalier;

/// <summary>Several sequences of a model that decode together: one pass over the weights gives the next token of all of them. For many questions at once, where the whole counts and not the single answer.</summary>
/// <remarks>
/// <para>Made by <see cref="VisionLanguageModel.CreateBatch"/> and owned by the caller, who disposes it before or after the model. Reusable.
/// Prompts run one after another, since each of them keeps the processor busy by itself; a slot whose answer is complete takes the next question at once.</para>
/// <para>Not thread-safe: one call at a time, a second one throws. Single sequences and other batches of the model may run at the same time.</para>
/// </remarks>
public sealed class SequenceBatch : IDisposable
{
    private readonly VisionLanguageModel _owner;
    private readonly KeyValueArrays? _arrays;
    private readonly BatchLogits _logits;
    private readonly PrefillMemory _prefill;
    private readonly BatchDecode? _decode;
    private readonly Sequence[] _sequences;
    private readonly KeyValueCache[] _caches;
    private UseGuard _use;

    /// <summary>Allocates. The caller holds a reference to the model.</summary>
    internal SequenceBatch(VisionLanguageModel owner, ModelSessions sessions, ReductionPlan plan, int slots, int capacity, Func<BatchPlace, Sequence> create)
    {
        _owner = owner;
        Capacity = capacity;
        _arrays = sessions.Memory.IsHost ? new KeyValueArrays(plan, capacity, slots) : null;
        _logits = new BatchLogits(plan.Geometry.Text.Vocabulary, slots);
        _sequences = new Sequence[slots];
        _caches = new KeyValueCache[slots];
        _prefill = new PrefillMemory(sessions, plan);
        try
        {
            for (int slot = 0; slot < slots; slot++)
            {
                _sequences[slot] = create(new BatchPlace(_arrays, _logits, _prefill, slot));
                _caches[slot] = _sequences[slot].Pass.Cache;
            }

            // Where steps skip layers by the row, sequences decode one after another.
            _decode = _arrays is not null ? new HostBatchDecode(sessions, _arrays, _logits) : plan.Skips is null ? new DeviceBatchDecode(sessions, slots, _logits) : null;
        }
        catch
        {
            DisposeMemory();
            throw;
        }
    }

    /// <summary>Answers that run at the same time.</summary>
    public int Slots => _sequences.Length;

    /// <summary>Positions that each of them has room for, as <see cref="Sequence.Capacity"/>.</summary>
    public int Capacity { get; }

    /// <summary>Bytes of all KV caches.</summary>
    public long KeyValueBytes => _sequences.Length * _sequences[0].KeyValueBytes;

    /// <summary>The sequence of a slot. It can be prefilled and decoded alone, too, while no step runs.</summary>
    internal Sequence this[int slot] => _sequences[slot];

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_use.BeginDispose("The batch is running; cancel it and await its end before disposing."))
        {
            DisposeMemory();
            _use.Leave();
        }
    }

    /// <summary>Puts the next token of a slot in place for <see cref="Step"/>.</summary>
    internal void Load(int slot, EmbeddingTable embeddings, int token) =>
        _sequences[slot].Pass.LoadToken(_decode!, slot, embeddings, token, _sequences[slot].Position);

    /// <summary>Runs the loaded tokens through the decoder. The caller notes in each sequence that its token is in the cache.</summary>
    internal void Step(CancellationToken cancellationToken) => _decode!.Run(_caches, cancellationToken);

    internal void Enter(VisionLanguageModel model)
    {
        if (!ReferenceEquals(model, _owner))
        {
            throw new ArgumentException("The batch belongs to another model.", nameof(model));
        }

        _use.Enter(nameof(SequenceBatch), "The batch is already running; give it the questions in one call, or make a second batch.");
    }

    internal void Leave() => _use.Leave();

    private void DisposeMemory()
    {
        _decode?.Dispose();
        foreach (Sequence? sequence in _sequences)
        {
            sequence?.Dispose();
        }

        _prefill.Dispose();
        _logits.Dispose();
        _arrays?.Dispose();
    }
}

using Espalier.Planning;

namespace Espalier.Benchmarks.Decoders;

/// <summary>The dense decoder as the runtime runs it, a session a layer, over text rows of any number.</summary>
internal sealed class LayeredDecoder : IDisposable
{
    private readonly KeyValueCache _cache;
    private readonly LayerBindings _bindings;
    private readonly PassRows _rows;
    private readonly PassHead _head;
    private readonly EmbeddingTable _embeddings;
    private readonly int _layers;

    public LayeredDecoder(ModelSessions sessions, ReductionPlan plan, EmbeddingTable embeddings, int capacity)
    {
        _layers = plan.Layers;
        _embeddings = embeddings;
        _cache = new KeyValueCache(plan, capacity);
        _bindings = new LayerBindings(sessions, _cache);
        _rows = new PassRows(sessions);
        _head = new PassHead(sessions);
    }

    /// <summary>Logits after the last run.</summary>
    public ReadOnlySpan<float> Logits => _head.Logits;

    /// <summary>Runs a prompt from an empty cache.</summary>
    public void Prefill(ReadOnlySpan<int> tokens)
    {
        LoadRows(tokens);
        RunLayers();
        RunHead();
    }

    /// <summary>Runs one token.</summary>
    public void Decode(int token, int position)
    {
        _bindings.LoadDecode(_embeddings, token, position, [0]);
        for (int layer = 0; layer < _layers; layer++)
        {
            _cache.Announce(layer, 1);
            _bindings.Decode(layer).Run();
            _cache.Advance(layer, 1);
        }

        _head.Run(_bindings.DecodeOutput, 0);
    }

    /// <summary>Forgets the rows behind the first ones.</summary>
    public void Truncate(int rows) => _cache.SetLength(rows);

    /// <summary>The embeddings of a prompt, and an empty cache.</summary>
    public void LoadRows(ReadOnlySpan<int> tokens)
    {
        _cache.SetLength(0);
        _rows.LoadText(_embeddings, tokens, firstPosition: 0);
    }

    /// <summary>All layers over the rows that are loaded.</summary>
    public void RunLayers()
    {
        for (int layer = 0; layer < _layers; layer++)
        {
            _cache.Announce(layer, _rows.Count);
            _rows.BindRows(_bindings.Dense(layer));
            _bindings.Dense(layer).Run();
            _rows.Swap();
            _cache.Advance(layer, _rows.Count);
        }
    }

    /// <summary>Norm and head over the last row.</summary>
    public void RunHead() => _head.Run(_rows.Current, _rows.Count - 1);

    /// <inheritdoc/>
    public void Dispose()
    {
        _bindings.Dispose();
        _rows.Dispose();
        _head.Dispose();
        _cache.Dispose();
    }
}

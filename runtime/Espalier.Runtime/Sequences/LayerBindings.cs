using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>One session with the inputs and outputs of one sequence bound to it.</summary>
/// <remarks>Running allocates nothing managed. Not thread-safe; the session behind it is shared and thread-safe.</remarks>
internal sealed class LayerBinding(OrtSession session) : IDisposable
{
    private readonly OrtBinding _binding = OrtBinding.Create(session);

    /// <summary>The binding itself, for what is bound once.</summary>
    public OrtBinding Binding => _binding;

    /// <summary>Binds a tensor to an input; the name ends with a zero byte.</summary>
    public void BindInput(ReadOnlySpan<byte> name, nint value) => _binding.BindInput(name, value);

    /// <summary>Binds a tensor to an output; the name ends with a zero byte.</summary>
    public void BindOutput(ReadOnlySpan<byte> name, nint value) => _binding.BindOutput(name, value);

    /// <summary>Runs the session over the bound tensors.</summary>
    public void Run(OrtRunOptions? options = null) => session.Run(_binding, options);

    /// <inheritdoc/>
    public void Dispose() => _binding.Dispose();
}

/// <summary>The layer bindings of one sequence: one a layer for prefill rows of each kind that the plan needs, one a layer for decode, where nothing is ever bound again.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class LayerBindings : IDisposable
{
    private readonly LayerBinding[] _dense;
    private readonly LayerBinding?[] _reduced;
    private readonly LayerBinding?[] _ahead;
    private readonly LayerBinding?[] _feedForward;
    private readonly LayerBinding[] _decode;
    private readonly RowTensor _evenRow;
    private readonly RowTensor _oddRow;
    private readonly List<RowTensor> _positions = [];
    private readonly LayerKind[] _kinds;
    private readonly DeviceMemory _memory;

    public LayerBindings(ModelSessions sessions, KeyValueCache cache)
    {
        int layers = sessions.Geometry.Text.Layers;
        int hidden = sessions.Geometry.Text.Hidden;
        _dense = new LayerBinding[layers];
        _reduced = new LayerBinding?[layers];
        _ahead = new LayerBinding?[layers];
        _feedForward = new LayerBinding?[layers];
        _decode = new LayerBinding[layers];
        _kinds = [.. Enumerable.Range(0, layers).Select(sessions.KindAt)];
        _memory = sessions.Memory;
        _evenRow = RowTensor.Hidden(hidden, _memory, sessions.Rows);
        _oddRow = RowTensor.Hidden(hidden, _memory, sessions.Rows);
        _evenRow.Resize(1);
        _oddRow.Resize(1);

        for (int layer = 0; layer < layers; layer++)
        {
            _dense[layer] = new LayerBinding(sessions.Dense(layer));
            cache.Bind(_dense[layer].Binding, layer);
            if (Reads(_dense[layer], GraphNames.KeyRows))
            {
                cache.BindKeyRows(_dense[layer].Binding, layer);
            }

            _decode[layer] = new LayerBinding(sessions.Decode(layer));
            cache.Bind(_decode[layer].Binding, layer);
            _decode[layer].BindInput("x\0"u8, (layer % 2 == 0 ? _evenRow : _oddRow).Value);
            _decode[layer].BindInput("positions\0"u8, DecodePosition(sessions.NumberingAt(layer)).Value);
            _decode[layer].BindOutput("y\0"u8, (layer % 2 == 0 ? _oddRow : _evenRow).Value);

            if (sessions.FeedForward(layer) is { } feedForward)
            {
                _feedForward[layer] = new LayerBinding(feedForward);
            }

            if (sessions.Ahead(layer) is { } ahead)
            {
                var binding = new LayerBinding(ahead);
                _ahead[layer] = binding;
                cache.BindKeys(binding.Binding, layer);
            }

            if (sessions.Reduced(layer) is { } reduced)
            {
                var binding = new LayerBinding(reduced);
                _reduced[layer] = binding;
                cache.Bind(binding.Binding, layer);
                if (binding.Binding.Session.OutputNames.Contains(GraphNames.ScatteredKey))
                {
                    cache.BindScatter(binding.Binding, layer);
                }

                if (Reads(binding, GraphNames.KeyRows))
                {
                    cache.BindKeyRows(binding.Binding, layer);
                }
            }
        }

        DecodeHalves = sessions.Skips is { } skips
            ? new DecodeHalves(sessions, skips, cache, layer => (layer % 2 == 0 ? _evenRow : _oddRow, DecodePosition(sessions.NumberingAt(layer)), layer % 2 == 0 ? _oddRow : _evenRow))
            : null;
    }

    /// <summary>The layers whose feed-forward layer a decode step may skip; null if it runs all of them.</summary>
    public DecodeHalves? DecodeHalves { get; }

    /// <summary>The row that the last decode layer wrote.</summary>
    public RowTensor DecodeOutput => _decode.Length % 2 == 0 ? _evenRow : _oddRow;

    /// <summary>All rows through the whole layer.</summary>
    public LayerBinding Dense(int layer) => _dense[layer];

    /// <summary>The layer as the plan reduces it.</summary>
    /// <exception cref="InvalidOperationException">The plan runs the layer in another way.</exception>
    public LayerBinding Reduced(int layer, LayerKind kind) => _reduced[layer] is { } binding && _kinds[layer] == kind
        ? binding
        : throw new InvalidOperationException($"The plan runs layer {layer} in another way than the loop asks for.");

    /// <summary>The second half of a layer that runs in halves.</summary>
    public LayerBinding FeedForward(int layer) => _feedForward[layer] ?? throw new InvalidOperationException($"The plan does not run layer {layer} in halves.");

    /// <summary>What the layer would attend to.</summary>
    public LayerBinding Ahead(int layer) => _ahead[layer] ?? throw new InvalidOperationException($"The plan does not ask what layer {layer} would attend to.");

    /// <summary>One row, bound once.</summary>
    public LayerBinding Decode(int layer) => _decode[layer];

    /// <summary>Writes the row and the position of the next decode step; <paramref name="shifts"/> says by how much it is smaller in each numbering of the rows.</summary>
    public void LoadDecode(EmbeddingTable embeddings, int token, int position, ReadOnlySpan<int> shifts)
    {
        embeddings.Read([token], _evenRow.Span<float>());
        _evenRow.Upload();
        for (int numbering = 0; numbering < _positions.Count; numbering++)
        {
            _positions[numbering].Span<long>()[0] = position - shifts[numbering];
            _positions[numbering].Upload();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LayerBinding?[] bindings in (ReadOnlySpan<LayerBinding?[]>)[_dense, _reduced, _feedForward, _ahead, _decode])
        {
            foreach (LayerBinding? binding in bindings)
            {
                binding?.Dispose();
            }
        }

        DecodeHalves?.Dispose();
        _evenRow.Dispose();
        _oddRow.Dispose();
        _positions.ForEach(static tensor => tensor.Dispose());
    }

    private static bool Reads(LayerBinding binding, string input) => binding.Binding.Session.InputNames.Contains(input);

    // Behind a step that renumbers, the same token has another position; layers of one numbering share the tensor.
    private RowTensor DecodePosition(int numbering)
    {
        while (_positions.Count <= numbering)
        {
            RowTensor tensor = RowTensor.Positions(_memory);
            tensor.Resize(1);
            _positions.Add(tensor);
        }

        return _positions[numbering];
    }
}

using System.Numerics.Tensors;
using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier;

/// <summary>The decode layers whose feed-forward layer may be skipped, bound for the one row of one sequence. Nothing is bound again.</summary>
/// <remarks>Running allocates nothing managed. Not thread-safe.</remarks>
internal sealed class DecodeHalves : IDisposable
{
    private readonly LayerBinding?[] _attention;
    private readonly LayerBinding?[] _feedForward;
    private readonly RowTensor[] _output;
    private readonly RowTensor _between;
    private readonly RowTensor _normed;

    /// <summary>Binds the halves.</summary>
    /// <param name="sessions">The sessions.</param>
    /// <param name="skips">The layers.</param>
    /// <param name="cache">The caches of the sequence.</param>
    /// <param name="rowsOf">The row that a layer reads, its position, and the row that it writes.</param>
    public DecodeHalves(ModelSessions sessions, FeedForwardSkips skips, KeyValueCache cache, Func<int, (RowTensor Input, RowTensor Position, RowTensor Output)> rowsOf)
    {
        TextGeometry text = sessions.Geometry.Text;
        _attention = new LayerBinding?[text.Layers];
        _feedForward = new LayerBinding?[text.Layers];
        _output = new RowTensor[text.Layers];
        _between = RowTensor.Hidden(text.Hidden, sessions.Memory, sessions.Rows);
        _normed = RowTensor.Hidden(text.Hidden, sessions.Memory, sessions.Rows);
        _between.Resize(1);
        _normed.Resize(1);
        for (int layer = skips.FirstLayer; layer <= skips.LastLayer; layer++)
        {
            (RowTensor input, RowTensor position, _output[layer]) = rowsOf(layer);
            var attention = new LayerBinding(sessions.DecodeAttention(layer));
            _attention[layer] = attention;
            cache.Bind(attention.Binding, layer);
            if (attention.Binding.Session.InputNames.Contains(GraphNames.KeyRows))
            {
                cache.BindKeyRows(attention.Binding, layer);
            }

            attention.BindInput("x\0"u8, input.Value);
            attention.BindInput("positions\0"u8, position.Value);
            attention.BindOutput("y\0"u8, _between.Value);
            attention.BindOutput("normed\0"u8, _normed.Value);

            var feedForward = new LayerBinding(sessions.DecodeFeedForward(layer));
            _feedForward[layer] = feedForward;
            feedForward.BindInput("x\0"u8, _between.Value);
            feedForward.BindInput("normed\0"u8, _normed.Value);
            feedForward.BindOutput("y\0"u8, _output[layer].Value);
        }
    }

    /// <summary>Runs the attention of a layer.</summary>
    public void RunAttention(int layer) => _attention[layer]!.Run();

    /// <summary>Runs the feed-forward layer; the row goes on.</summary>
    /// <returns>The cosine of the row before it and behind its residual.</returns>
    public float RunFeedForward(int layer)
    {
        _feedForward[layer]!.Run();
        _between.MarkWritten();
        _output[layer].MarkWritten();
        return TensorPrimitives.CosineSimilarity(_between.Read<float>(), _output[layer].Read<float>());
    }

    /// <summary>The row goes on as attention left it.</summary>
    public void Skip(int layer)
    {
        _between.MarkWritten();
        _between.Read<float>().CopyTo(_output[layer].Span<float>());
        _output[layer].Upload();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LayerBinding?[] bindings in (ReadOnlySpan<LayerBinding?[]>)[_attention, _feedForward])
        {
            foreach (LayerBinding? binding in bindings)
            {
                binding?.Dispose();
            }
        }

        _between.Dispose();
        _normed.Dispose();
    }
}

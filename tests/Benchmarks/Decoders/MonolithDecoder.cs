using System.Text;
using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Benchmarks.Decoders;

/// <summary>The dense decoder as one session over the whole graph, with the same weights, packed once for both, and the same static KV cache.</summary>
internal sealed class MonolithDecoder : IDisposable
{
    private readonly OrtSession _session;
    private readonly EmbeddingTable _embeddings;
    private readonly OrtBinding _prefill;
    private readonly OrtBinding _decode;
    private readonly RowTensor _rows;
    private readonly RowTensor _positions = RowTensor.Positions();
    private readonly RowTensor _row;
    private readonly RowTensor _position = RowTensor.Positions();
    private readonly OrtValue _rowIndex = OrtValue.Allocate([1], OrtElementType.Int64);
    private readonly OrtValue _lastRow = OrtValue.Allocate([1], OrtElementType.Int32);
    private readonly OrtValue _total = OrtValue.Allocate([1], OrtElementType.Int32);
    private readonly OrtValue _logits;
    private readonly List<OrtValue> _caches = [];
    private int _length;

    public MonolithDecoder(SessionCache sessions, LinearFormat format, TextGeometry text, string headWeight, EmbeddingTable embeddings, int capacity)
    {
        _embeddings = embeddings;
        _session = sessions.Build(Device.Cpu.Provider, MonolithGraph.Build(text, headWeight, format));
        _prefill = OrtBinding.Create(_session);
        _decode = OrtBinding.Create(_session);
        _rows = RowTensor.Hidden(text.Hidden);
        _row = RowTensor.Hidden(text.Hidden);
        _row.Resize(1);
        _position.Resize(1);
        _logits = OrtValue.Allocate([1, 1, text.Vocabulary], OrtElementType.Float);
        _total.AsSpan<int>()[0] = capacity;
        BindFixed(text, capacity);
        _decode.BindInput(Name(GraphNames.X), _row.Value);
        _decode.BindInput(Name(GraphNames.Positions), _position.Value);
    }

    /// <summary>Logits after the last run.</summary>
    public ReadOnlySpan<float> Logits => _logits.AsSpan<float>();

    /// <summary>Runs a prompt from an empty cache.</summary>
    public void Prefill(ReadOnlySpan<int> tokens)
    {
        _rows.Resize(tokens.Length);
        _positions.Resize(tokens.Length);
        _embeddings.Read(tokens, _rows.Span<float>());
        Span<long> positions = _positions.Span<long>();
        for (int i = 0; i < positions.Length; i++)
        {
            positions[i] = i;
        }

        _prefill.BindInput("x\0"u8, _rows.Value);
        _prefill.BindInput("positions\0"u8, _positions.Value);
        _lastRow.AsSpan<int>()[0] = tokens.Length - 1;
        _rowIndex.AsSpan<long>()[0] = tokens.Length - 1;
        _session.Run(_prefill);
        _length = tokens.Length;
    }

    /// <summary>Runs one token.</summary>
    public void Decode(int token, int position)
    {
        _embeddings.Read([token], _row.Span<float>());
        _position.Span<long>()[0] = position;
        _lastRow.AsSpan<int>()[0] = _length;
        _rowIndex.AsSpan<long>()[0] = 0;
        _session.Run(_decode);
        _length++;
    }

    /// <summary>Forgets the rows behind the first ones.</summary>
    public void Truncate(int rows) => _length = rows;

    /// <inheritdoc/>
    public void Dispose()
    {
        _prefill.Dispose();
        _decode.Dispose();
        _session.Dispose();
        foreach (IDisposable tensor in (IDisposable[])[_rows, _positions, _row, _position, _rowIndex, _lastRow, _total, _logits, .. _caches])
        {
            tensor.Dispose();
        }
    }

    private void BindFixed(TextGeometry text, int capacity)
    {
        foreach (OrtBinding binding in (OrtBinding[])[_prefill, _decode])
        {
            binding.BindInput(Name(GraphNames.LastRow), _lastRow);
            binding.BindInput(Name(GraphNames.Total), _total);
            binding.BindInput(Name(GraphNames.Row), _rowIndex);
            binding.BindOutput(Name(GraphNames.Logits), _logits);
        }

        for (int layer = 0; layer < text.Layers; layer++)
        {
            BindCache(layer, GraphNames.PastKey, GraphNames.PresentKey);
            BindCache(layer, GraphNames.PastValue, GraphNames.PresentValue);
        }

        void BindCache(int layer, string past, string present)
        {
            OrtValue cache = OrtValue.Allocate([1, text.KeyValueHeads, capacity, text.HeadDim], OrtElementType.Float);
            _caches.Add(cache);
            foreach (OrtBinding binding in (OrtBinding[])[_prefill, _decode])
            {
                binding.BindInput(Name(MonolithGraph.OfLayer(past, layer)), cache);
                binding.BindOutput(Name(MonolithGraph.OfLayer(present, layer)), cache);
            }
        }
    }

    private static byte[] Name(string name) => Encoding.UTF8.GetBytes(name + "\0");
}

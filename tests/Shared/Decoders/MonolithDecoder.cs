using System.Text;
using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Tests;

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
    private int _count;

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
        Truncate(0);
        Append(tokens);
    }

    /// <summary>Runs tokens behind those that ran already; one is a decode step.</summary>
    public void Append(params ReadOnlySpan<int> tokens)
    {
        _embeddings.Read(tokens, Load(tokens.Length));
        Run();
    }

    /// <summary>Makes room for hidden rows behind those that ran already.</summary>
    /// <returns>The rows, to be filled before <see cref="Run"/>.</returns>
    public Span<float> Load(int count)
    {
        _count = count;
        _rowIndex.AsSpan<long>()[0] = count - 1;
        _lastRow.AsSpan<int>()[0] = _length + count - 1;
        if (count == 1)
        {
            _position.Span<long>()[0] = _length;
            return _row.Span<float>();
        }

        _rows.Resize(count);
        _positions.Resize(count);
        Span<long> positions = _positions.Span<long>();
        for (int i = 0; i < count; i++)
        {
            positions[i] = _length + i;
        }

        _prefill.BindInput(Name(GraphNames.X), _rows.Value);
        _prefill.BindInput(Name(GraphNames.Positions), _positions.Value);
        return _rows.Span<float>();
    }

    /// <summary>Runs the rows that were loaded.</summary>
    public void Run()
    {
        _session.Run(_count == 1 ? _decode : _prefill);
        _length += _count;
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

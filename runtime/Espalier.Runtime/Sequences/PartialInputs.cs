using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>What partial layers read beside their rows: how many of them are visual, which are probed, and which read which.</summary>
/// <remarks>Layers of equal work over the same rows share what was written for the first. The memory grows and never shrinks. Not thread-safe.</remarks>
internal sealed class PartialInputs : IDisposable
{
    private readonly ModelGeometry _geometry;
    private readonly RowTensor _sizes = RowTensor.Indices();
    private readonly RowTensor _blockSizes = RowTensor.Indices();
    private readonly RowTensor _probes;
    private readonly BlockTensor<long> _rows;
    private readonly BlockTensor<long> _keys;
    private readonly BlockTensor<float> _mask;
    private PartialWork? _written;
    private int _writtenRows;

    /// <summary>Makes room for all that any prompt of a plan can bring.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="memory">Where the layers run.</param>
    public PartialInputs(ReductionPlan plan, DeviceMemory memory)
    {
        _geometry = plan.Geometry;
        _probes = RowTensor.Indices(memory);
        _rows = new BlockTensor<long>(memory, OrtElementType.Int64);
        _keys = new BlockTensor<long>(memory, OrtElementType.Int64);
        _mask = new BlockTensor<float>(memory, OrtElementType.Float);
        foreach (Segment segment in plan.Segments)
        {
            if (segment.Partial is { } work)
            {
                Reserve(work, segment.VisualTokens);
            }
        }
    }

    /// <summary>What was written is of another prompt.</summary>
    public void Forget() => _written = null;

    /// <summary>Binds what a layer reads.</summary>
    /// <param name="binding">The layer.</param>
    /// <param name="work">What its visual rows do.</param>
    /// <param name="tokens">The visual token of the image that each visual row is.</param>
    /// <param name="suffixRows">Rows behind them.</param>
    /// <param name="prefixRows">Cache rows before them.</param>
    public void Bind(LayerBinding binding, PartialWork work, ReadOnlySpan<int> tokens, int suffixRows, int prefixRows)
    {
        // Rows only leave, so as many rows are the same rows.
        bool isWritten = ReferenceEquals(_written, work) && _writtenRows == tokens.Length;
        (_written, _writtenRows) = (work, tokens.Length);
        _sizes.Resize(2);
        _sizes.Span<long>()[0] = tokens.Length;
        _sizes.Span<long>()[1] = suffixRows;
        binding.BindInput("sizes\0"u8, _sizes.Value);
        if (work.Choice == NeuronChoice.Probed)
        {
            _probes.Resize(work.Probes(tokens.Length));
            Span<long> probes = _probes.Span<long>();
            for (int i = 0; i < probes.Length; i++)
            {
                probes[i] = (long)i * work.ProbeStride;
            }

            if (!isWritten)
            {
                _probes.Upload();
            }

            binding.BindInput("probes\0"u8, _probes.Value);
        }

        if (!ReadsBlocks(work))
        {
            return;
        }

        if (!isWritten)
        {
            WriteBlocks(work, tokens);
            _rows.Upload();
            _keys.Upload();
            _mask.Upload();
        }

        _blockSizes.Resize(2);
        _blockSizes.Span<long>()[0] = prefixRows;
        _blockSizes.Span<long>()[1] = _keys.Columns;
        binding.BindInput("block_rows\0"u8, _rows.Value);
        binding.BindInput("block_keys\0"u8, _keys.Value);
        binding.BindInput("block_mask\0"u8, _mask.Value);
        binding.BindInput("block_sizes\0"u8, _blockSizes.Value);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sizes.Dispose();
        _blockSizes.Dispose();
        _probes.Dispose();
        _rows.Dispose();
        _keys.Dispose();
        _mask.Dispose();
    }

    private bool ReadsBlocks(PartialWork work) => work.AttendsApart && work.DroppedHeads.Count < _geometry.Text.Heads;

    private void Reserve(PartialWork work, int visualTokens)
    {
        _probes.Reserve(work.Probes(visualTokens));
        if (ReadsBlocks(work))
        {
            int rows = visualTokens + PartialWork.BlockRows;
            int blocks = rows / Math.Min(PartialWork.BlockRows, visualTokens);
            int keys = work.KeysRead(visualTokens, _geometry.Vision.GridSize);
            _rows.Reserve(rows);
            _keys.Reserve((long)blocks * keys);
            _mask.Reserve((long)rows * VisualHeads.Group(_geometry.Text, work) * keys);
        }
    }

    private void WriteBlocks(PartialWork work, ReadOnlySpan<int> tokens)
    {
        int group = VisualHeads.Group(_geometry.Text, work);
        var reach = new RowReach(work, _geometry.Vision.GridSize);
        int blockRows = Math.Min(PartialWork.BlockRows, tokens.Length);
        int blocks = (tokens.Length + blockRows - 1) / blockRows;
        int most = 0;
        for (int block = 0; block < blocks; block++)
        {
            (int first, int end) = reach.Keys(tokens, block * blockRows, Math.Min(tokens.Length, (block + 1) * blockRows));
            most = Math.Max(most, end - first);
        }

        _rows.Resize(blocks, 1, blockRows);
        _keys.Resize(blocks, 1, most);
        _mask.Resize(blocks, group * blockRows, most);
        for (int block = 0; block < blocks; block++)
        {
            int start = block * blockRows;
            int stop = Math.Min(tokens.Length, start + blockRows);
            (int first, int end) = reach.Keys(tokens, start, stop);
            Span<long> rows = _rows.Block(block);
            for (int i = 0; i < blockRows; i++)
            {
                rows[i] = Math.Min(start + i, tokens.Length - 1);
            }

            Span<long> keys = _keys.Block(block);
            for (int i = 0; i < most; i++)
            {
                keys[i] = Math.Min(first + i, tokens.Length - 1);
            }

            Span<float> mask = _mask.Block(block);
            for (int i = 0; i < blockRows; i++)
            {
                Span<float> line = mask.Slice(i * most, most);
                for (int key = 0; key < most; key++)
                {
                    line[key] = first + key < end && reach.Reads(tokens, (int)rows[i], first + key) ? 0 : float.NegativeInfinity;
                }
            }

            for (int head = 1; head < group; head++)
            {
                mask[..(blockRows * most)].CopyTo(mask[(head * blockRows * most)..]);
            }
        }
    }
}

using System.Diagnostics;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The positions of the rows of a pass: they move with their rows, part and join with them, and reach the device before a layer reads them.</summary>
/// <remarks>Visual rows come first, the text rows behind them. Not thread-safe.</remarks>
internal sealed class RowPositions : IDisposable
{
    private readonly RowTensor _all;
    private readonly RowTensor _visual;
    private readonly RowTensor _text;
    private readonly RowTensor? _last;
    private bool _changed;
    private bool _isParted;
    private int _first;

    public RowPositions(ModelSessions sessions)
    {
        DeviceMemory memory = sessions.Memory;
        _all = RowTensor.Positions(memory);
        _visual = RowTensor.Positions(memory);
        _text = RowTensor.Positions(memory);
        if (sessions.RewritesGraphs)
        {
            // Where graphs are rewritten, the host names the position that the graph cannot gather.
            _last = RowTensor.Positions(memory);
            _last.Resize(1);
        }
    }

    /// <summary>Rows, visual and text.</summary>
    public int Count => _all.Rows;

    /// <summary>The positions of all rows; valid while they are not parted.</summary>
    public Span<long> All => _all.Span<long>();

    /// <summary>The positions of the visual rows that were parted from the text.</summary>
    public Span<long> PartedVisual => _visual.Span<long>();

    /// <summary>The positions of the text rows that were parted from the visual ones.</summary>
    public Span<long> PartedText => _text.Span<long>();

    /// <summary>Makes room for as many rows as any image can bring.</summary>
    /// <param name="rows">Rows, at most.</param>
    public void Reserve(int rows)
    {
        _all.Reserve(rows);
        _visual.Reserve(rows);
    }

    /// <summary>Numbers new rows without gaps.</summary>
    public void Begin(int rows, int first)
    {
        _first = first;
        _all.Resize(rows);
        Renumber();
    }

    /// <summary>Numbers the visual rows of an image by their place in it, and what stands behind them from the image's end on.</summary>
    public void Begin(VisualTokenMap map, int rowsBehind, int first)
    {
        _first = first;
        _all.Resize(map.Count + rowsBehind);
        (_changed, _isParted) = (true, false);
        Span<long> positions = All;
        for (int i = 0; i < map.Count; i++)
        {
            positions[i] = first + map.Offsets[i];
        }

        for (int i = 0; i < rowsBehind; i++)
        {
            positions[map.Count + i] = first + map.ImagePositions + i;
        }
    }

    /// <summary>Numbers the rows without gaps from the first one on; they must not be parted.</summary>
    public void Renumber()
    {
        (_changed, _isParted) = (true, false);
        Span<long> positions = All;
        for (int i = 0; i < positions.Length; i++)
        {
            positions[i] = _first + i;
        }
    }

    /// <summary>Takes <paramref name="difference"/> from every position; the rows must not be parted.</summary>
    public void Shift(int difference)
    {
        (_changed, _isParted) = (true, false);
        foreach (ref long position in All)
        {
            position -= difference;
        }
    }

    /// <summary>Splits the positions for frozen layers.</summary>
    public void Part(int visualTokens, int textRows)
    {
        _visual.Resize(visualTokens);
        _text.Resize(textRows);
        All[..visualTokens].CopyTo(PartedVisual);
        All[visualTokens..].CopyTo(PartedText);
        _visual.Upload();
        _text.Upload();
        _isParted = true;
    }

    /// <summary>Only kept visual rows stay, and the text rows behind them. Ascending indices: a row never moves behind one that is still to be read.</summary>
    public void Keep(ReadOnlySpan<int> kept, int visualTokens, int textRows)
    {
        Span<long> positions = All;
        for (int i = 0; i < kept.Length; i++)
        {
            positions[i] = positions[kept[i]];
        }

        for (int i = 0; i < textRows; i++)
        {
            positions[kept.Length + i] = positions[visualTokens + i];
        }

        Resize(kept.Length + textRows);
    }

    /// <summary>The visual rows stay, and kept text rows behind them.</summary>
    public void KeepText(ReadOnlySpan<int> kept, int visualTokens)
    {
        Span<long> positions = All[visualTokens..];
        for (int i = 0; i < kept.Length; i++)
        {
            positions[i] = positions[kept[i]];
        }

        Resize(visualTokens + kept.Length);
    }

    /// <summary>Only text rows stay that were parted from the visual ones.</summary>
    public void KeepPartedText()
    {
        Resize(_text.Rows);
        PartedText.CopyTo(All);
    }

    /// <summary>Binds the positions of all rows.</summary>
    public void Bind(LayerBinding binding)
    {
        if (_changed)
        {
            _all.Upload();
            _changed = false;
        }

        binding.BindInput("positions\0"u8, _all.Value);
    }

    /// <summary>Binds the positions of all rows to a session that asks only for the last one's attention.</summary>
    public void BindAhead(LayerBinding binding)
    {
        Bind(binding);
        if (_last is not null)
        {
            _last.Span<long>()[0] = All[^1];
            _last.Upload();
            binding.BindInput("last_position\0"u8, _last.Value);
        }
    }

    /// <summary>Binds the positions of rows that are parted.</summary>
    public void BindParted(LayerBinding binding)
    {
        binding.BindInput("visual_positions\0"u8, _visual.Value);
        binding.BindInput("positions\0"u8, _text.Value);
    }

    /// <summary>Binds the positions of visual and of text rows to a layer that runs all rows and cannot part their positions by itself.</summary>
    public void BindApart(LayerBinding binding, int visualTokens)
    {
        if (_last is null)
        {
            return;
        }

        // Layers behind each other read the same, until a row leaves or gets another number: then the mark is gone.
        if (!_isParted)
        {
            Part(visualTokens, Count - visualTokens);
        }

        Debug.Assert(_visual.Rows == visualTokens);
        binding.BindInput("visual_positions\0"u8, _visual.Value);
        binding.BindInput("text_positions\0"u8, _text.Value);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _all.Dispose();
        _visual.Dispose();
        _text.Dispose();
        _last?.Dispose();
    }

    private void Resize(int rows)
    {
        _all.Resize(rows);
        (_changed, _isParted) = (true, false);
    }
}

using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The hidden states of a prefill, each row with its position. Two row tensors that swap after each layer; while layers are frozen the visual rows rest in a tensor of their own and only the text rows swap.</summary>
/// <remarks>Rows move by small graphs that take indices, never by address arithmetic, so the same code serves memory that the host cannot touch. Not thread-safe.</remarks>
internal sealed class PassRows : IDisposable
{
    private readonly RowGraphBindings _moves;
    private readonly RowTensor _visual;
    private readonly RowPositions _positions;
    private readonly RowTensor _firstVisualRow;
    private readonly RowTensor? _visualEnd;
    private readonly bool _isRemote;
    private RowTensor _current;
    private RowTensor _next;
    private RowTensor _text;
    private RowTensor _nextText;
    private bool _parted;

    public PassRows(ModelSessions sessions)
    {
        int hidden = sessions.Geometry.Text.Hidden;
        DeviceMemory memory = sessions.Memory;
        _isRemote = !memory.IsHost || sessions.Rows != OrtElementType.Float;
        _moves = new RowGraphBindings(sessions);
        _visual = RowTensor.Hidden(hidden, memory, sessions.Rows);
        _current = RowTensor.Hidden(hidden, memory, sessions.Rows);
        _next = RowTensor.Hidden(hidden, memory, sessions.Rows);
        _text = RowTensor.Hidden(hidden, memory, sessions.Rows);
        _nextText = RowTensor.Hidden(hidden, memory, sessions.Rows);
        _positions = new RowPositions(sessions);

        // Where graphs are rewritten, the host cuts the cache behind these rows.
        _firstVisualRow = RowTensor.Indices(sessions.RewritesGraphs ? null : memory);
        if (sessions.RewritesGraphs)
        {
            _visualEnd = RowTensor.Indices();
            _visualEnd.Resize(1);
        }

        _firstVisualRow.Resize(1);
    }

    /// <summary>Rows in the pass, visual and text.</summary>
    public int Count => _positions.Count;

    /// <summary>The rows as one tensor; valid while they are not parted.</summary>
    public RowTensor Current => _current;

    /// <summary>The rows that end with the last row of the pass.</summary>
    public RowTensor Last => _parted ? _text : _current;

    /// <summary>The visual rows, wherever they are now.</summary>
    public ReadOnlySpan<float> VisualRows(int visualTokens) => _parted ? _visual.Read<float>() : _current.Read<float>(visualTokens);

    /// <summary>The rows of text behind the visual rows, as one tensor; valid while they are not parted.</summary>
    public ReadOnlySpan<float> TextRows(int visualTokens) => _current.Read<float>()[(visualTokens * _current.Width)..];

    /// <summary>Elements of a row.</summary>
    public int Width => _current.Width;

    /// <summary>The positions of the visual rows, wherever they are now.</summary>
    public ReadOnlySpan<long> VisualPositions(int visualTokens) => _parted ? _positions.PartedVisual : _positions.All[..visualTokens];

    /// <summary>The positions of the rows behind the visual ones, wherever they are now.</summary>
    public ReadOnlySpan<long> TextPositions(int visualTokens) => _parted ? _positions.PartedText : _positions.All[visualTokens..];

    /// <summary>Embeds text rows alone.</summary>
    public void LoadText(EmbeddingTable embeddings, ReadOnlySpan<int> tokens, int firstPosition)
    {
        Prepare(tokens.Length);
        _positions.Begin(tokens.Length, firstPosition);
        embeddings.Read(tokens, _current.Span<float>());
        _current.Upload();
    }

    /// <summary>Makes room for as many rows as any image can bring, so that an image that brings more than the one before allocates nothing.</summary>
    /// <param name="rows">Visual rows, at most, and the text rows behind them.</param>
    public void Reserve(int rows)
    {
        _current.Reserve(rows);
        _next.Reserve(rows);
        _positions.Reserve(rows);

        // In the last layer all rows but one rest.
        _visual.Reserve(rows);
        _moves.Reserve(rows);
    }

    /// <summary>Writes the visual rows of the image, the registers behind them, and embeds the suffix behind both.</summary>
    public void LoadPrompt(ImagePass image, EmbeddingTable embeddings, int firstPosition, VisualTokenMap map, ReadOnlySpan<float> registers, ReadOnlySpan<int> suffix)
    {
        int visualTokens = map.Count;
        int rowsBehind = (registers.Length / embeddings.Width) + suffix.Length;
        Prepare(visualTokens + rowsBehind);
        _positions.Begin(map, rowsBehind, firstPosition);
        if (_isRemote)
        {
            // Memory of a device cannot be written from its middle on, nor can rows of 16 bits be, which are rounded as a whole: the rows come together there.
            _visual.Resize(visualTokens);
            _text.Resize(rowsBehind);
            image.WriteInto(_visual.Value);
            Write(_text.Span<float>(), embeddings, registers, suffix);
            _text.Upload();
            _moves.Join(_visual, _text, _current);
            _current.MarkWritten();
            return;
        }

        nint visualRows = _current.View(visualTokens);
        try
        {
            image.WriteInto(visualRows);
        }
        finally
        {
            OrtRaw.ReleaseValue(visualRows);
        }

        Write(_current.Span<float>()[(visualTokens * embeddings.Width)..], embeddings, registers, suffix);
    }

    /// <summary>Binds the rows to a layer that runs all of them.</summary>
    public void BindRows(LayerBinding binding)
    {
        _next.Resize(_current.Rows);
        binding.BindInput("x\0"u8, _current.Value);
        _positions.Bind(binding);
        binding.BindOutput("y\0"u8, _next.Value);
    }

    /// <summary>Binds what partial layers read whose visual rows attend apart: where these lie in the cache, and their positions and those of the text, where the graph cannot part them.</summary>
    public void BindApart(LayerBinding binding, int firstVisualRow, int visualTokens)
    {
        BindVisualStart(binding, firstVisualRow, visualTokens);
        _positions.BindApart(binding, visualTokens);
    }

    /// <summary>Binds the rows to a session that only looks at them.</summary>
    public void BindAhead(LayerBinding binding)
    {
        binding.BindInput("x\0"u8, _current.Value);
        _positions.BindAhead(binding);
    }

    /// <summary>Binds resting visual rows and moving text rows to a frozen layer.</summary>
    public void BindFrozen(LayerBinding binding, int firstVisualRow)
    {
        _nextText.Resize(_text.Rows);
        BindVisualStart(binding, firstVisualRow, _visual.Rows);
        binding.BindInput("visual\0"u8, _visual.Value);
        binding.BindInput("x\0"u8, _text.Value);
        _positions.BindParted(binding);
        binding.BindOutput("y\0"u8, _nextText.Value);
    }

    /// <summary>Binds the rows to a layer's second half.</summary>
    public void BindHalf(LayerBinding binding)
    {
        _next.Resize(_current.Rows);
        binding.BindInput("x\0"u8, _current.Value);
        binding.BindOutput("y\0"u8, _next.Value);
    }

    /// <summary>Runs a graph over all rows into memory beside them, which the next layer overwrites. The rows must not be parted.</summary>
    public ReadOnlySpan<float> Beside(LayerBinding graph)
    {
        BindHalf(graph);
        graph.Run();
        _next.MarkWritten();
        return _next.Read<float>();
    }

    /// <summary>The output of the layer becomes the input of the next.</summary>
    public void Swap()
    {
        (_current, _next) = (_next, _current);
        _current.MarkWritten();
    }

    /// <summary>The text output of a frozen layer becomes the input of the next.</summary>
    public void SwapText() => (_text, _nextText) = (_nextText, _text);

    /// <summary>Splits the rows for frozen layers, if they are not split.</summary>
    public void Part(int visualTokens, int suffixRows)
    {
        if (_parted)
        {
            return;
        }

        _visual.Resize(visualTokens);
        _text.Resize(suffixRows);
        _positions.Part(visualTokens, suffixRows);
        _moves.Part(_current, _visual, _text);
        _visual.MarkWritten();
        _parted = true;
    }

    /// <summary>Takes the visual rows that the last layer wrote, and leaves the text rows as they were before it. The tensors must not have swapped.</summary>
    public void TakeVisual(int visualTokens, int suffixRows)
    {
        Part(visualTokens, suffixRows);
        _nextText.Resize(suffixRows);
        _moves.Part(_next, _visual, _nextText);
        _visual.MarkWritten();
    }

    /// <summary>Joins the rows after frozen layers, if they are split.</summary>
    public void Rejoin(int visualTokens, int suffixRows)
    {
        if (!_parted)
        {
            return;
        }

        _current.Resize(visualTokens + suffixRows);
        _moves.Join(_visual, _text, _current);
        _current.MarkWritten();
        _parted = false;
    }

    /// <summary>Gathers the kept visual rows and the suffix; positions move with their rows.</summary>
    public void Keep(ReadOnlySpan<int> kept, int visualTokens, int suffixRows)
    {
        Rejoin(visualTokens, suffixRows);
        _next.Resize(kept.Length + suffixRows);
        _moves.Gather(_current, kept, visualTokens, suffixRows, _next);
        Swap();
        _positions.Keep(kept, visualTokens, suffixRows);
    }

    /// <summary>Lets visual rows take in those that leave. Each keeps its position; rows that change their order are renumbered next.</summary>
    public void Merge(MergeBuffers merge, int visualTokens, int suffixRows)
    {
        Rejoin(visualTokens, suffixRows);
        _next.Resize(merge.Merge.Kept.Length + suffixRows);
        _moves.Merge(_current, merge, _next);
        Swap();
        _positions.Keep(merge.Merge.Kept, visualTokens, suffixRows);
    }

    /// <summary>Gathers the visual rows and some text rows behind them; positions move with their rows.</summary>
    public void KeepText(ReadOnlySpan<int> kept, int visualTokens, int suffixRows)
    {
        Rejoin(visualTokens, suffixRows);
        _next.Resize(visualTokens + kept.Length);
        _moves.GatherText(_current, visualTokens, kept, _next);
        Swap();
        _positions.KeepText(kept, visualTokens);
    }

    /// <summary>Only the suffix stays.</summary>
    public void Exit(int visualTokens, int suffixRows)
    {
        if (!_parted)
        {
            Keep([], visualTokens, suffixRows);
            return;
        }

        // A copy of a few rows: if the tensors swapped, each would grow to the size of all rows in its turn.
        _current.Resize(suffixRows);
        _moves.Gather(_text, [], 0, suffixRows, _current);
        _positions.KeepPartedText();
        _parted = false;
    }

    /// <summary>Numbers the rows without gaps from the first one on; they must not be parted.</summary>
    public void Renumber() => _positions.Renumber();

    /// <summary>Takes <paramref name="difference"/> from every position; the rows must not be parted.</summary>
    public void Shift(int difference) => _positions.Shift(difference);

    /// <inheritdoc/>
    public void Dispose()
    {
        _visualEnd?.Dispose();
        _moves.Dispose();
        _positions.Dispose();
        foreach (RowTensor tensor in (ReadOnlySpan<RowTensor>)[_visual, _firstVisualRow, _current, _next, _text, _nextText])
        {
            tensor.Dispose();
        }
    }

    private void BindVisualStart(LayerBinding binding, int firstVisualRow, int visualRows)
    {
        _firstVisualRow.Span<long>()[0] = firstVisualRow;
        _firstVisualRow.Upload();
        if (_visualEnd is not null)
        {
            _visualEnd.Span<long>()[0] = firstVisualRow + visualRows;
            binding.BindInput("visual_end\0"u8, _visualEnd.Value);
        }

        binding.BindInput("visual_start\0"u8, _firstVisualRow.Value);
    }

    private static void Write(Span<float> behind, EmbeddingTable embeddings, ReadOnlySpan<float> registers, ReadOnlySpan<int> suffix)
    {
        registers.CopyTo(behind);
        embeddings.Read(suffix, behind[registers.Length..]);
    }

    private void Prepare(int rows)
    {
        _parted = false;
        _current.Resize(rows);
    }
}

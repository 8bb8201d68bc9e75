using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The hidden states of a prefill and their positions. Two row tensors that swap after each layer; while layers are frozen the visual rows rest in a tensor of their own and only the text rows swap.</summary>
/// <remarks>Rows move by small graphs that take indices, never by address arithmetic, so the same code serves memory that the host cannot touch. Not thread-safe.</remarks>
internal sealed class PassRows : IDisposable
{
    private readonly RowGraphBindings _moves;
    private readonly RowTensor _visual;
    private readonly RowTensor _visualPositions;
    private readonly RowTensor _textPositions;
    private readonly RowTensor _firstVisualRow;
    private readonly RowTensor? _visualEnd;
    private readonly RowTensor? _lastPosition;
    private readonly RowTensor _queryRows = RowTensor.Indices();
    private readonly RowTensor _raters;
    private readonly RowTensor _positions;
    private readonly RowTensor _scores;
    private readonly MatrixTensor _map;
    private readonly bool _isRemote;
    private RowTensor _current;
    private RowTensor _next;
    private RowTensor _text;
    private RowTensor _nextText;
    private bool _parted;
    private bool _positionsChanged;
    private int _firstPosition;

    public PassRows(ModelSessions sessions)
    {
        int hidden = sessions.Geometry.Text.Hidden;
        DeviceMemory memory = sessions.Memory;
        _isRemote = !memory.IsHost;
        _moves = new RowGraphBindings(sessions);
        _visual = RowTensor.Hidden(hidden, memory);
        _current = RowTensor.Hidden(hidden, memory);
        _next = RowTensor.Hidden(hidden, memory);
        _text = RowTensor.Hidden(hidden, memory);
        _nextText = RowTensor.Hidden(hidden, memory);
        _visualPositions = RowTensor.Positions(memory);
        _textPositions = RowTensor.Positions(memory);
        _positions = RowTensor.Positions(memory);
        _raters = RowTensor.Indices(memory);
        _scores = RowTensor.Scores(memory);
        _map = new MatrixTensor(memory);

        // Where graphs are rewritten, the host cuts the cache behind these rows, and names the position that the graph cannot gather.
        _firstVisualRow = RowTensor.Indices(sessions.RewritesGraphs ? null : memory);
        if (sessions.RewritesGraphs)
        {
            _visualEnd = RowTensor.Indices();
            _lastPosition = RowTensor.Positions(memory);
            _visualEnd.Resize(1);
            _lastPosition.Resize(1);
        }

        _firstVisualRow.Resize(1);
        _queryRows.Resize(1);
    }

    /// <summary>Rows in the pass, visual and text.</summary>
    public int Count => _positions.Rows;

    /// <summary>The rows as one tensor; valid while they are not parted.</summary>
    public RowTensor Current => _current;

    /// <summary>The rows that end with the last row of the pass.</summary>
    public RowTensor Last => _parted ? _text : _current;

    /// <summary>The scores that the last scored layer wrote: one a KV row.</summary>
    public ReadOnlySpan<float> Scores => _scores.Read<float>();

    /// <summary>The visual rows, wherever they are now.</summary>
    public ReadOnlySpan<float> VisualRows(int visualTokens) => _parted ? _visual.Read<float>() : _current.Read<float>(visualTokens);

    /// <summary>The rows of text behind the visual rows, as one tensor; valid while they are not parted.</summary>
    public ReadOnlySpan<float> TextRows(int visualTokens) => _current.Read<float>()[(visualTokens * _current.Width)..];

    /// <summary>Elements of a row.</summary>
    public int Width => _current.Width;

    /// <summary>The positions of the visual rows, wherever they are now.</summary>
    public ReadOnlySpan<long> VisualPositions(int visualTokens) => _parted ? _visualPositions.Span<long>() : _positions.Span<long>()[..visualTokens];

    /// <summary>The positions of the rows behind the visual ones, wherever they are now.</summary>
    public ReadOnlySpan<long> TextPositions(int visualTokens) => _parted ? _textPositions.Span<long>() : _positions.Span<long>()[visualTokens..];

    /// <summary>The attention map that the last halved layer wrote: a row a row, a column a KV row; or that of the last rater-scored layer: a row a head and rater.</summary>
    public ReadOnlySpan<float> Map => _map.Span;

    /// <summary>Embeds text rows alone.</summary>
    public void LoadText(EmbeddingTable embeddings, ReadOnlySpan<int> tokens, int firstPosition)
    {
        Prepare(tokens.Length, firstPosition);
        embeddings.Read(tokens, _current.Span<float>());
        _current.Upload();
    }

    /// <summary>Makes room for as many rows as any image can bring, so that an image that brings more than the one before allocates nothing.</summary>
    /// <param name="visualTokens">Visual rows, at most.</param>
    /// <param name="suffixRows">Text rows behind them.</param>
    /// <param name="prefixRows">Rows that the cache holds before them.</param>
    public void Reserve(int visualTokens, int suffixRows, int prefixRows)
    {
        int rows = visualTokens + suffixRows;
        foreach (RowTensor tensor in (ReadOnlySpan<RowTensor>)[_current, _next, _positions])
        {
            tensor.Reserve(rows);
        }

        // In the last layer all rows but one rest.
        _visual.Reserve(rows);
        _visualPositions.Reserve(rows);
        _scores.Reserve(prefixRows + rows);
        _moves.Reserve(rows);
    }

    /// <summary>Writes the visual rows of the image, the registers behind them, and embeds the suffix behind both.</summary>
    public void LoadPrompt(ImagePass image, EmbeddingTable embeddings, int firstPosition, VisualTokenMap map, ReadOnlySpan<float> registers, ReadOnlySpan<int> suffix)
    {
        int visualTokens = map.Count;
        int rowsBehind = (registers.Length / embeddings.Width) + suffix.Length;
        Prepare(visualTokens + rowsBehind, firstPosition);
        Span<long> positions = _positions.Span<long>();
        for (int i = 0; i < visualTokens; i++)
        {
            positions[i] = firstPosition + map.Offsets[i];
        }

        for (int i = 0; i < rowsBehind; i++)
        {
            positions[visualTokens + i] = firstPosition + map.ImagePositions + i;
        }

        if (_isRemote)
        {
            // Memory of a device cannot be written from its middle on: the rows come together there.
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
        UploadPositions();
        binding.BindInput("positions\0"u8, _positions.Value);
        binding.BindOutput("y\0"u8, _next.Value);
    }

    /// <summary>Binds the cache row of the first visual row.</summary>
    public void BindVisualStart(LayerBinding binding, int firstVisualRow)
    {
        _firstVisualRow.Span<long>()[0] = firstVisualRow;
        _firstVisualRow.Upload();
        if (_visualEnd is not null)
        {
            _visualEnd.Span<long>()[0] = firstVisualRow + _visual.Rows;
            binding.BindInput("visual_end\0"u8, _visualEnd.Value);
        }

        binding.BindInput("visual_start\0"u8, _firstVisualRow.Value);
    }

    /// <summary>Binds the rows to a session that only looks at them.</summary>
    public void BindAhead(LayerBinding binding)
    {
        UploadPositions();
        if (_lastPosition is not null)
        {
            _lastPosition.Span<long>()[0] = _positions.Span<long>()[^1];
            _lastPosition.Upload();
            binding.BindInput("last_position\0"u8, _lastPosition.Value);
        }

        binding.BindInput("x\0"u8, _current.Value);
        binding.BindInput("positions\0"u8, _positions.Value);
    }

    /// <summary>Binds resting visual rows and moving text rows to a frozen layer.</summary>
    public void BindFrozen(LayerBinding binding, int firstVisualRow)
    {
        _nextText.Resize(_text.Rows);
        BindVisualStart(binding, firstVisualRow);
        binding.BindInput("visual\0"u8, _visual.Value);
        binding.BindInput("visual_positions\0"u8, _visualPositions.Value);
        binding.BindInput("x\0"u8, _text.Value);
        binding.BindInput("positions\0"u8, _textPositions.Value);
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
        return _next.Span<float>();
    }

    /// <summary>Binds the map output: a column a KV row that the layer will hold.</summary>
    public void BindMap(LayerBinding binding, int rows, int keyRows)
    {
        _map.Resize(rows, keyRows);
        binding.BindOutput("map\0"u8, _map.Value);
    }

    /// <summary>Binds the score output: one score a KV row that the layer will hold, or one a row of the pass.</summary>
    public void BindScores(LayerBinding binding, int count)
    {
        _scores.Resize(count);
        _scores.MarkWritten();
        binding.BindOutput("score\0"u8, _scores.Value);
    }

    /// <summary>Makes room for the attention of so many raters, so that fewer of them allocate nothing.</summary>
    public void ReserveRaters(int raters, int heads, int keyRows)
    {
        _raters.Reserve(raters);
        _map.Reserve(checked((nuint)heads * (nuint)raters * (nuint)keyRows));
    }

    /// <summary>Binds the raters, the text rows that they are among, and the output of their attention.</summary>
    public void BindRaters(LayerBinding binding, ReadOnlySpan<int> raters, int textRows, int heads, int keyRows)
    {
        _raters.Resize(raters.Length);
        Span<long> rows = _raters.Span<long>();
        for (int i = 0; i < raters.Length; i++)
        {
            rows[i] = raters[i];
        }

        _raters.Upload();
        _map.Resize(heads * raters.Length, keyRows);
        BindQueryRows(binding, textRows);
        binding.BindInput("raters\0"u8, _raters.Value);
        binding.BindOutput("map\0"u8, _map.Value);
    }

    /// <summary>Binds the number of last rows whose attention the score is made of.</summary>
    public void BindQueryRows(LayerBinding binding, int rows)
    {
        _queryRows.Span<long>()[0] = rows;
        binding.BindInput("query_rows\0"u8, _queryRows.Value);
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
        _visualPositions.Resize(visualTokens);
        _textPositions.Resize(suffixRows);
        Span<long> positions = _positions.Span<long>();
        positions[..visualTokens].CopyTo(_visualPositions.Span<long>());
        positions[visualTokens..].CopyTo(_textPositions.Span<long>());
        _visualPositions.Upload();
        _textPositions.Upload();
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
        MovePositions(kept, visualTokens, suffixRows);
    }

    /// <summary>Lets visual rows take in those that leave. Each keeps its position; rows that change their order are renumbered next.</summary>
    public void Merge(MergeBuffers merge, int visualTokens, int suffixRows)
    {
        Rejoin(visualTokens, suffixRows);
        _next.Resize(merge.Merge.Kept.Length + suffixRows);
        _moves.Merge(_current, merge, _next);
        Swap();
        MovePositions(merge.Merge.Kept, visualTokens, suffixRows);
    }

    /// <summary>Gathers the visual rows and some text rows behind them; positions move with their rows.</summary>
    public void KeepText(ReadOnlySpan<int> kept, int visualTokens, int suffixRows)
    {
        Rejoin(visualTokens, suffixRows);
        _next.Resize(visualTokens + kept.Length);
        _moves.GatherText(_current, visualTokens, kept, _next);
        Swap();
        Span<long> positions = _positions.Span<long>()[visualTokens..];
        for (int i = 0; i < kept.Length; i++)
        {
            positions[i] = positions[kept[i]];
        }

        ResizePositions(visualTokens + kept.Length);
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
        ResizePositions(suffixRows);
        _textPositions.Span<long>().CopyTo(_positions.Span<long>());
        _parted = false;
    }

    /// <summary>Numbers the rows without gaps from the first one on; they must not be parted.</summary>
    public void Renumber()
    {
        _positionsChanged = true;
        Span<long> positions = _positions.Span<long>();
        for (int i = 0; i < positions.Length; i++)
        {
            positions[i] = _firstPosition + i;
        }
    }

    /// <summary>Takes <paramref name="difference"/> from every position; the rows must not be parted.</summary>
    public void Shift(int difference)
    {
        _positionsChanged = true;
        foreach (ref long position in _positions.Span<long>())
        {
            position -= difference;
        }
    }

    /// <summary>Fetches the attention map from the device.</summary>
    public void ReadMap() => _map.Download();

    /// <inheritdoc/>
    public void Dispose()
    {
        _visualEnd?.Dispose();
        _lastPosition?.Dispose();
        _moves.Dispose();
        _map.Dispose();
        foreach (RowTensor tensor in (ReadOnlySpan<RowTensor>)[_visual, _visualPositions, _textPositions, _firstVisualRow, _queryRows, _raters, _positions, _scores, _current, _next, _text, _nextText])
        {
            tensor.Dispose();
        }
    }

    // Ascending indices: a row never moves behind one that is still to be read.
    private void MovePositions(ReadOnlySpan<int> kept, int visualTokens, int suffixRows)
    {
        Span<long> positions = _positions.Span<long>();
        for (int i = 0; i < kept.Length; i++)
        {
            positions[i] = positions[kept[i]];
        }

        for (int i = 0; i < suffixRows; i++)
        {
            positions[kept.Length + i] = positions[visualTokens + i];
        }

        ResizePositions(kept.Length + suffixRows);
    }

    private void ResizePositions(int rows)
    {
        _positions.Resize(rows);
        _positionsChanged = true;
    }

    private void UploadPositions()
    {
        if (_positionsChanged)
        {
            _positions.Upload();
            _positionsChanged = false;
        }
    }

    private static void Write(Span<float> behind, EmbeddingTable embeddings, ReadOnlySpan<float> registers, ReadOnlySpan<int> suffix)
    {
        registers.CopyTo(behind);
        embeddings.Read(suffix, behind[registers.Length..]);
    }

    private void Prepare(int rows, int firstPosition)
    {
        _parted = false;
        _firstPosition = firstPosition;
        _current.Resize(rows);
        _positions.Resize(rows);
        Renumber();
    }
}

using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>What layers hand out beside their rows: scores and attention maps, and what they must be told to do so.</summary>
/// <remarks>One layer is read at a time. Not thread-safe.</remarks>
internal sealed class LayerReadings : IDisposable
{
    private readonly RowTensor _queryRows = RowTensor.Indices();
    private readonly RowTensor _raters;
    private readonly RowTensor _scores;
    private readonly MatrixTensor _map;

    public LayerReadings(DeviceMemory memory)
    {
        _raters = RowTensor.Indices(memory);
        _scores = RowTensor.Scores(memory);
        _map = new MatrixTensor(memory);
        _queryRows.Resize(1);
    }

    /// <summary>The scores that the last scored layer wrote: one a KV row, or one a row of the pass.</summary>
    public ReadOnlySpan<float> Scores => _scores.Read<float>();

    /// <summary>The attention map that the last halved layer wrote: a row a row, a column a KV row; or that of the last rater-scored layer: a row a head and rater.</summary>
    public ReadOnlySpan<float> Map => _map.Span;

    /// <summary>Makes room for the scores of so many KV rows.</summary>
    public void ReserveScores(int count) => _scores.Reserve(count);

    /// <summary>Makes room for the attention of so many raters, so that fewer of them allocate nothing.</summary>
    public void ReserveRaters(int raters, int heads, int keyRows)
    {
        _raters.Reserve(raters);
        _map.Reserve(checked((nuint)heads * (nuint)raters * (nuint)keyRows));
    }

    /// <summary>Binds the score output: one score a KV row that the layer will hold, or one a row of the pass.</summary>
    public void BindScores(LayerBinding binding, int count)
    {
        _scores.Resize(count);
        _scores.MarkWritten();
        binding.BindOutput("score\0"u8, _scores.Value);
    }

    /// <summary>Binds the number of last rows whose attention the score is made of.</summary>
    public void BindQueryRows(LayerBinding binding, int rows)
    {
        _queryRows.Span<long>()[0] = rows;
        binding.BindInput("query_rows\0"u8, _queryRows.Value);
    }

    /// <summary>Binds the map output: a column a KV row that the layer will hold.</summary>
    public void BindMap(LayerBinding binding, int rows, int keyRows)
    {
        _map.Resize(rows, keyRows);
        binding.BindOutput("map\0"u8, _map.Value);
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
        BindQueryRows(binding, textRows);
        binding.BindInput("raters\0"u8, _raters.Value);
        BindMap(binding, heads * raters.Length, keyRows);
    }

    /// <summary>Fetches the attention map from the device.</summary>
    public void ReadMap() => _map.Download();

    /// <inheritdoc/>
    public void Dispose()
    {
        _queryRows.Dispose();
        _raters.Dispose();
        _scores.Dispose();
        _map.Dispose();
    }
}

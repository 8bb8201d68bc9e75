namespace Espalier;

/// <summary>The attention inside one decoder layer, mean over heads and without a mask: the scaled products of the queries of the rows in the pass with all keys, or the softmax of these over all keys, as the method asks.</summary>
/// <remarks>A row a query: the visual rows and the text rows behind them. A column a key: the rows before the image, the visual rows, the text rows. Registers between visual and text rows, where
/// there are some, are skipped. The queries of the rows before the image are
/// not in it: they are computed once for many images. A view on memory of a running prefill, valid until the next layer. Several threads may read it, none writes it.</remarks>
public readonly ref struct AttentionMap
{
    private readonly ReadOnlySpan<float> _products;
    private readonly int _registers;

    /// <summary>A view on a map.</summary>
    /// <param name="products">The map, row by row.</param>
    /// <param name="prefixRows">Rows before the image.</param>
    /// <param name="visualRows">Visual rows.</param>
    /// <param name="textRows">Text rows behind them.</param>
    /// <param name="registers">Rows between the two that are neither.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public AttentionMap(ReadOnlySpan<float> products, int prefixRows, int visualRows, int textRows, int registers = 0)
    {
        long expected = (long)(visualRows + registers + textRows) * (prefixRows + visualRows + registers + textRows);
        if (prefixRows < 0 || visualRows < 0 || textRows < 0 || registers < 0 || products.Length != expected)
        {
            throw new ArgumentException($"A map of {prefixRows}, {visualRows} and {textRows} rows has {expected} elements, not {products.Length}.", nameof(products));
        }

        _products = products;
        PrefixRows = prefixRows;
        VisualRows = visualRows;
        TextRows = textRows;
        _registers = registers;
    }

    /// <summary>Rows before the image.</summary>
    public int PrefixRows { get; }

    /// <summary>Visual rows.</summary>
    public int VisualRows { get; }

    /// <summary>Text rows behind the image.</summary>
    public int TextRows { get; }

    /// <summary>The products of a visual row's query with the keys of the rows before the image.</summary>
    /// <param name="visualRow">Its number among the visual rows.</param>
    public ReadOnlySpan<float> ToPrefix(int visualRow) => Row(visualRow)[..PrefixRows];

    /// <summary>The products of a visual row's query with the keys of the visual rows.</summary>
    /// <param name="visualRow">Its number among the visual rows.</param>
    public ReadOnlySpan<float> ToVisual(int visualRow) => Row(visualRow).Slice(PrefixRows, VisualRows);

    /// <summary>The products of a visual row's query with the keys of the text rows behind the image.</summary>
    /// <param name="visualRow">Its number among the visual rows.</param>
    public ReadOnlySpan<float> ToText(int visualRow) => Row(visualRow)[(PrefixRows + VisualRows + _registers)..];

    /// <summary>The products of a text row's query with the keys of the visual rows.</summary>
    /// <param name="textRow">Its number among the text rows behind the image.</param>
    public ReadOnlySpan<float> FromText(int textRow) => Row(VisualRows + _registers + textRow).Slice(PrefixRows, VisualRows);

    private ReadOnlySpan<float> Row(int row)
    {
        int columns = PrefixRows + VisualRows + _registers + TextRows;
        return _products.Slice(row * columns, columns);
    }
}

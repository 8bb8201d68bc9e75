namespace Espalier;

/// <summary>Whose attention <see cref="FastVAttribute"/> ranks by.</summary>
public enum FastVRows
{
    /// <summary>That of the last prompt row, as in all published code.</summary>
    Last,

    /// <summary>That of the text rows behind the image, on average: the reading of the paper's text, "the average attention from all other tokens", that costs no attention map.
    /// Rows before the image cannot attend to it; visual rows are left out.</summary>
    Mean,
}

namespace Espalier;

/// <summary>What a merge makes of rows: those that stay, in the order that they will have, and what each takes of itself and of the rows that leave. A kernel fills it, a small graph applies it.</summary>
/// <remarks>
/// <para>A row that stays becomes <c>Own[k] · row[Kept[k]] + Σ_a Shares[k, a] · row[Absorbed[a]]</c>. Only the rows that leave take part in a matrix product, so a merge of few rows is cheap.</para>
/// <para>Rows are counted as the caller of the kernel counts them; a CLS row, where there is one, is not among them. The memory belongs to whoever made the value. Not thread-safe.</para>
/// </remarks>
public readonly ref struct RowMerge
{
    /// <summary>A merge over memory of the caller.</summary>
    /// <param name="kept">Receives the rows that stay.</param>
    /// <param name="absorbed">Receives the rows that leave.</param>
    /// <param name="own">One number a row that stays.</param>
    /// <param name="shares">A row of numbers, one a row that leaves, for each row that stays.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public RowMerge(Span<int> kept, Span<int> absorbed, Span<float> own, Span<float> shares)
    {
        if (own.Length != kept.Length || shares.Length != (long)kept.Length * absorbed.Length)
        {
            throw new ArgumentException($"{kept.Length} rows that stay and {absorbed.Length} that leave need {kept.Length} and {(long)kept.Length * absorbed.Length} numbers, but there are {own.Length} and {shares.Length}.", nameof(shares));
        }

        Kept = kept;
        Absorbed = absorbed;
        Own = own;
        Shares = shares;
    }

    /// <summary>The rows that stay, in the order that they will have.</summary>
    public Span<int> Kept { get; }

    /// <summary>The rows that leave.</summary>
    public Span<int> Absorbed { get; }

    /// <summary>What each row that stays takes of itself.</summary>
    public Span<float> Own { get; }

    /// <summary>What each row that stays takes of each row that leaves, <c>[kept, absorbed]</c>.</summary>
    public Span<float> Shares { get; }

    /// <summary>Rows that there are.</summary>
    public int Rows => Kept.Length + Absorbed.Length;
}

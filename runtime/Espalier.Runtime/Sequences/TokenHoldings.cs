using System.Numerics;

namespace Espalier;

/// <summary>Which of the image's visual tokens each row was made of: a set of bits a row. Rows are made of several tokens where a plan merges.</summary>
/// <remarks>Sized by the model once; nothing is allocated later. Not thread-safe.</remarks>
internal sealed class TokenHoldings
{
    private readonly int _words;
    private ulong[] _held;
    private ulong[] _next;

    public TokenHoldings(int visualTokens)
    {
        _words = (visualTokens + 63) / 64;
        _held = new ulong[visualTokens * _words];
        _next = new ulong[visualTokens * _words];
    }

    /// <summary>Every row is its own token again.</summary>
    public void Reset(int visualTokens)
    {
        Array.Clear(_held);
        for (int row = 0; row < visualTokens; row++)
        {
            _held[(row * _words) + (row / 64)] = 1UL << (row % 64);
        }
    }

    /// <summary>Some rows stay, in ascending order.</summary>
    public void Keep(ReadOnlySpan<int> kept)
    {
        for (int i = 0; i < kept.Length; i++)
        {
            Row(_held, kept[i]).CopyTo(Row(_held, i));
        }
    }

    /// <summary>Rows take in those that leave.</summary>
    public void Merge(RowMerge merge)
    {
        int columns = merge.Absorbed.Length;
        for (int row = 0; row < merge.Kept.Length; row++)
        {
            Span<ulong> target = Row(_next, row);
            target.Clear();
            if (merge.Own[row] != 0)
            {
                Add(merge.Kept[row], target);
            }

            for (int i = 0; i < columns; i++)
            {
                if (merge.Shares[(row * columns) + i] != 0)
                {
                    Add(merge.Absorbed[i], target);
                }
            }
        }

        (_held, _next) = (_next, _held);
    }

    /// <summary>Rows are made of others: a row holds what those of its weights that are not zero hold.</summary>
    /// <param name="weights">A row a new row, a column an old one.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="first">The column of the first visual row; those before it are no visual tokens.</param>
    public void Merge(ReadOnlySpan<float> weights, int columns, int first = 0)
    {
        for (int row = 0; row < weights.Length / columns; row++)
        {
            Span<ulong> target = Row(_next, row);
            target.Clear();
            ReadOnlySpan<float> taken = weights.Slice((row * columns) + first, columns - first);
            for (int source = 0; source < taken.Length; source++)
            {
                if (taken[source] != 0)
                {
                    Add(source, target);
                }
            }
        }

        (_held, _next) = (_next, _held);
    }

    /// <summary>Writes the tokens of a row, ascending.</summary>
    /// <returns>How many they are; only as many as there is room for are written.</returns>
    public int Read(int row, Span<int> tokens)
    {
        int count = 0;
        ReadOnlySpan<ulong> held = Row(_held, row);
        for (int word = 0; word < held.Length; word++)
        {
            for (ulong bits = held[word]; bits != 0; bits &= bits - 1)
            {
                if (count < tokens.Length)
                {
                    tokens[count] = (64 * word) + BitOperations.TrailingZeroCount(bits);
                }

                count++;
            }
        }

        return count;
    }

    private void Add(int row, Span<ulong> target)
    {
        ReadOnlySpan<ulong> held = Row(_held, row);
        for (int word = 0; word < held.Length; word++)
        {
            target[word] |= held[word];
        }
    }

    private Span<ulong> Row(ulong[] sets, int row) => sets.AsSpan(row * _words, _words);
}

namespace Espalier;

/// <summary>Looks for stop sequences in a text that arrives in pieces, and holds back what may be the beginning of one.</summary>
/// <remarks>Not thread-safe; one an answer.</remarks>
/// <param name="stops">What ends the text; none of them is empty.</param>
internal sealed class StopFilter(IReadOnlyList<string> stops)
{
    private string _held = "";

    /// <summary>True once a stop sequence came. The text ended in front of it.</summary>
    public bool Found { get; private set; }

    /// <summary>Takes the next piece.</summary>
    /// <returns>The text that belongs to the answer whatever comes next; empty after a stop sequence.</returns>
    public string Append(ReadOnlySpan<char> piece)
    {
        if (stops.Count == 0)
        {
            return piece.ToString();
        }

        if (Found)
        {
            return "";
        }

        string text = string.Concat(_held, piece);
        int end = text.Length;
        foreach (string stop in stops)
        {
            int index = text.IndexOf(stop, StringComparison.Ordinal);
            if (index >= 0 && index < end)
            {
                end = index;
                Found = true;
            }
        }

        if (!Found)
        {
            end -= LongestBeginning(text);
        }

        _held = Found ? "" : text[end..];
        return text[..end];
    }

    /// <summary>Ends the text.</summary>
    /// <returns>What was held back.</returns>
    public string Flush()
    {
        string held = _held;
        _held = "";
        return held;
    }

    // How many characters at the end of the text may begin a stop sequence.
    private int LongestBeginning(string text)
    {
        int longest = 0;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                    break;
                }
            }
        }

        return longest;
    }
}

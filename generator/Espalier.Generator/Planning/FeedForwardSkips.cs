namespace Espalier.Planning;

/// <summary>Feed-forward layers that a decode step may skip: where one of them hardly turns its row, those of the next layers are left out (FFN-SkipLLM, arXiv 2404.03865). Attention always runs, so every layer keeps its KV row. Which are skipped depends on the token.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="FirstLayer">The first layer whose feed-forward layer is looked at, zero-based. Those before it always run.</param>
/// <param name="LastLayer">The last layer that may be skipped in. Those behind it always run.</param>
/// <param name="Threshold">The cosine between a row before the feed-forward layer and behind its residual, from which on the next are skipped.</param>
/// <param name="Following">How many feed-forward layers that follow are then skipped.</param>
/// <param name="WarmUp">Decode steps at the beginning of each answer that skip nothing.</param>
/// <param name="Declaration">The policy as it was declared.</param>
public sealed record FeedForwardSkips(int FirstLayer, int LastLayer, double Threshold, int Following, int WarmUp, string Declaration)
{
    /// <summary>The most feed-forward layers that one step skips: behind each that runs, <see cref="Following"/>.</summary>
    public int AtMost
    {
        get
        {
            int layers = LastLayer - FirstLayer + 1;
            int running = (layers + Following) / (Following + 1);
            return layers - running;
        }
    }
}

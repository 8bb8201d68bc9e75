namespace Espalier.Benchmarks.Measuring;

/// <summary>One line of progress on the error stream that overwrites itself; silent where that stream is no terminal.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class ProgressLine : IDisposable
{
    private const int Cells = 24;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly bool _visible = !Console.IsErrorRedirected;
    private long _shown;
    private int _length;

    /// <summary>Shows how far something has come.</summary>
    /// <param name="text">What.</param>
    /// <param name="share">0 to 1.</param>
    public void Show(string text, double share)
    {
        if (!_visible || (_shown != 0 && System.Diagnostics.Stopwatch.GetElapsedTime(_shown) < Interval))
        {
            return;
        }

        _shown = System.Diagnostics.Stopwatch.GetTimestamp();
        int full = (int)(Cells * Math.Clamp(share, 0, 1));
        string line = $"[{new string('#', full)}{new string('.', Cells - full)}] {text}";
        Console.Error.Write($"\r{line.PadRight(_length)}");
        _length = line.Length;
    }

    /// <summary>Removes the line, so that other output may follow.</summary>
    public void Clear()
    {
        if (_length > 0)
        {
            Console.Error.Write($"\r{new string(' ', _length)}\r");
            _length = 0;
        }

        _shown = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();
}

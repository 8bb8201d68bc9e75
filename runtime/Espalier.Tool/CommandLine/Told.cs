namespace Espalier.CommandLine;

/// <summary>Tells on the thread that reports. <see cref="Progress{T}"/> hands reports to another one, and a message that comes late helps nobody.</summary>
internal sealed class Told<T>(Action<T> tell) : IProgress<T>
{
    /// <inheritdoc/>
    public void Report(T value) => tell(value);
}

namespace Espalier;

/// <summary>Sees to it that a thing that is not thread-safe serves one call at a time, and none after it was disposed.</summary>
/// <remarks>A field that is not read-only; its members are thread-safe. Who gets in by <see cref="Enter"/> or <see cref="BeginDispose"/> leaves by <see cref="Leave"/>.</remarks>
internal struct UseGuard
{
    private int _busy;
    private bool _disposed;

    /// <summary>Begins a call.</summary>
    /// <param name="name">The type of the thing.</param>
    /// <param name="busy">What is said to whom comes second.</param>
    /// <exception cref="InvalidOperationException">Another call runs.</exception>
    /// <exception cref="ObjectDisposedException">The thing was disposed.</exception>
    public void Enter(string name, string busy)
    {
        Take(busy);
        if (_disposed)
        {
            Leave();
            throw new ObjectDisposedException(name);
        }
    }

    /// <summary>Begins the disposal, if it is the first.</summary>
    /// <param name="busy">What is said to whom disposes of a thing in use.</param>
    /// <returns>False if there is nothing to dispose any more, and nothing to leave.</returns>
    /// <exception cref="InvalidOperationException">A call runs.</exception>
    public bool BeginDispose(string busy)
    {
        Take(busy);
        if (_disposed)
        {
            Leave();
            return false;
        }

        return _disposed = true;
    }

    /// <summary>Ends a call, or the disposal.</summary>
    public void Leave() => Volatile.Write(ref _busy, 0);

    private void Take(string busy)
    {
        if (Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            throw new InvalidOperationException(busy);
        }
    }
}

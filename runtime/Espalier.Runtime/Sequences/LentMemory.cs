namespace Espalier;

/// <summary>Memory that a pass lends to a step, until the step asks again. It grows and never shrinks, so the steps of a prompt of known shape allocate nothing.</summary>
/// <typeparam name="T">The element.</typeparam>
/// <remarks>Not thread-safe.</remarks>
internal struct LentMemory<T>
    where T : unmanaged
{
    private T[]? _memory;

    /// <summary>So many elements, of undefined content.</summary>
    public Span<T> Lend(int count)
    {
        if (_memory is null || _memory.Length < count)
        {
            _memory = new T[count];
        }

        return _memory.AsSpan(0, count);
    }
}

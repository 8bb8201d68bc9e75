using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>A read-only list that is equal to another when the items are, in order. The default value is the empty list.</summary>
/// <remarks>Arrays and <c>ImmutableArray</c> compare by reference, which makes every record that holds one unequal to its twin and defeats incremental caching. Immutable, thread-safe.</remarks>
/// <typeparam name="T">The item.</typeparam>
public readonly struct EquatableArray<T> : IEquatable<EquatableArray<T>>, IReadOnlyList<T>
    where T : IEquatable<T>
{
    private readonly T[]? _items;

    /// <summary>Copies the items.</summary>
    /// <param name="items">The items, in order.</param>
    public EquatableArray(IEnumerable<T> items)
    {
        _items = (items ?? throw new ArgumentNullException(nameof(items))).ToArray();
    }

    /// <summary>Items in the list.</summary>
    public int Count => _items?.Length ?? 0;

    /// <summary>One item.</summary>
    /// <param name="index">Zero-based position.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such position.</exception>
    public T this[int index] => (uint)index < (uint)Count ? _items![index] : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>True if the lists hold equal items in the same order.</summary>
    /// <param name="left">A list.</param>
    /// <param name="right">Another list.</param>
    public static bool operator ==(EquatableArray<T> left, EquatableArray<T> right) => left.Equals(right);

    /// <summary>True if the lists differ in length or in an item.</summary>
    /// <param name="left">A list.</param>
    /// <param name="right">Another list.</param>
    public static bool operator !=(EquatableArray<T> left, EquatableArray<T> right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(EquatableArray<T> other)
    {
        if (Count != other.Count)
        {
            return false;
        }

        for (int i = 0; i < Count; i++)
        {
            if (!EqualityComparer<T>.Default.Equals(_items![i], other._items![i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is EquatableArray<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        int hash = 17;
        foreach (T item in this)
        {
            hash = unchecked((hash * 31) + (item is null ? 0 : item.GetHashCode()));
        }

        return hash;
    }

    /// <summary>The items, separated by commas, in brackets.</summary>
    public override string ToString() => "[" + string.Join(", ", this) + "]";

    /// <summary>Walks the items without allocating.</summary>
    public Enumerator GetEnumerator() => new(_items ?? Array.Empty<T>());

    IEnumerator<T> IEnumerable<T>.GetEnumerator() => ((IEnumerable<T>)(_items ?? Array.Empty<T>())).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => (_items ?? Array.Empty<T>()).GetEnumerator();

    /// <summary>Walks an <see cref="EquatableArray{T}"/>.</summary>
    /// <remarks>For one thread; the list itself may be walked by several.</remarks>
    public struct Enumerator
    {
        private readonly T[] _items;
        private int _index;

        internal Enumerator(T[] items)
        {
            _items = items;
            _index = -1;
        }

        /// <summary>The item under the enumerator.</summary>
        public readonly T Current => _items[_index];

        /// <summary>Steps to the next item.</summary>
        /// <returns>False behind the last item.</returns>
        public bool MoveNext() => ++_index < _items.Length;
    }
}

/// <summary>Creates an <see cref="EquatableArray{T}"/> with the item type inferred.</summary>
public static class EquatableArray
{
    /// <summary>A list of the given items.</summary>
    /// <typeparam name="T">The item.</typeparam>
    /// <param name="items">The items, in order; copied.</param>
    public static EquatableArray<T> Of<T>(params T[] items)
        where T : IEquatable<T> => new(items);

    /// <summary>Copies a sequence into a list.</summary>
    /// <typeparam name="T">The item.</typeparam>
    /// <param name="items">The items, in order.</param>
    public static EquatableArray<T> ToEquatableArray<T>(this IEnumerable<T> items)
        where T : IEquatable<T> => new(items);
}

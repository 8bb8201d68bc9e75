using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>A device tensor of rows whose count changes from run to run: <c>[1, rows, width]</c> for hidden states, <c>[1, rows]</c> or <c>[rows]</c> for positions and indices.</summary>
/// <remarks>The memory grows and never shrinks; the tensor over it is made anew when the count changes, which costs a native allocation and no managed one. Not thread-safe.</remarks>
internal sealed unsafe class RowTensor : IDisposable
{
    private readonly int _width;
    private readonly int _rank;
    private readonly OrtElementType _type;
    private readonly int _elementSize;
    private NativeBuffer _memory;

    private RowTensor(OrtElementType type, int elementSize, int rank, int width)
    {
        _type = type;
        _elementSize = elementSize;
        _rank = rank;
        _width = width;
        _memory = NativeBuffer.Allocate((nuint)(elementSize * width));
    }

    /// <summary>Rows of the tensor now; 0 if there is no tensor yet.</summary>
    public int Rows { get; private set; }

    /// <summary>Elements of a row.</summary>
    public int Width => _width;

    /// <summary>The ONNX Runtime tensor over the current rows. Owned by this object, changed by <see cref="Resize"/>.</summary>
    public nint Value { get; private set; }

    /// <summary>Hidden states: <c>float [1, rows, width]</c>.</summary>
    public static RowTensor Hidden(int width) => new(OrtElementType.Float, sizeof(float), 3, width);

    /// <summary>Positions: <c>int64 [1, rows]</c>.</summary>
    public static RowTensor Positions() => new(OrtElementType.Int64, sizeof(long), 2, 1);

    /// <summary>Row numbers: <c>int64 [rows]</c>.</summary>
    public static RowTensor Indices() => new(OrtElementType.Int64, sizeof(long), 1, 1);

    /// <summary>Scores: <c>float [rows]</c>.</summary>
    public static RowTensor Scores() => new(OrtElementType.Float, sizeof(float), 1, 1);

    /// <summary>Makes the tensor cover <paramref name="rows"/> rows. The content survives only if the memory need not grow.</summary>
    public void Resize(int rows)
    {
        if (rows == Rows)
        {
            return;
        }

        Reserve(rows);
        Release();

        Value = View(rows);
        Rows = rows;
    }

    /// <summary>Sees to it that <paramref name="rows"/> rows fit, so that no <see cref="Resize"/> up to there allocates. If the memory has to grow, content and tensor are gone.</summary>
    public void Reserve(int rows)
    {
        nuint bytes = checked((nuint)rows * (nuint)_width * (nuint)_elementSize);
        if (bytes > _memory.ByteLength)
        {
            NativeBuffer larger = NativeBuffer.Allocate(bytes);
            Release();
            _memory.Dispose();
            _memory = larger;
        }
    }

    /// <summary>A second tensor over the first <paramref name="rows"/> rows. The caller releases it by <see cref="OrtRaw.ReleaseValue"/> before the next <see cref="Resize"/>.</summary>
    public nint View(int rows)
    {
        ReadOnlySpan<long> shape = _rank switch
        {
            3 => [1, rows, _width],
            2 => [1, rows],
            _ => [rows],
        };
        return OrtRaw.CreateTensor(_memory.Pointer, (nuint)rows * (nuint)_width * (nuint)_elementSize, shape, _type);
    }

    /// <summary>The current rows as numbers.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    public Span<T> Span<T>()
        where T : unmanaged => new((void*)_memory.Pointer, Rows * _width);

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        _memory.Dispose();
    }

    private void Release()
    {
        if (Value != 0)
        {
            OrtRaw.ReleaseValue(Value);
            Value = 0;
        }

        Rows = 0;
    }
}

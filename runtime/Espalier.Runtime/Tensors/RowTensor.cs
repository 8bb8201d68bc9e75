using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>A tensor of rows, in the memory of a device (the host's where none is named), whose count changes from run to run: <c>[1, rows, width]</c> for hidden states, <c>[1, rows]</c> or <c>[rows]</c> for positions and indices.</summary>
/// <remarks>The memory grows and never shrinks; the tensor over it is made anew when the count changes, which costs a native allocation and no managed one. Not thread-safe.</remarks>
internal sealed class RowTensor : IDisposable
{
    private readonly int _width;
    private readonly int _rank;
    private readonly OrtElementType _type;
    private readonly int _elementSize;
    private readonly TensorMemory _memory;
    private readonly HeldTensor _tensor = new();
    private bool _isBehind;

    private RowTensor(DeviceMemory? device, OrtElementType type, int elementSize, int rank, int width)
    {
        _type = type;
        _elementSize = elementSize;
        _rank = rank;
        _width = width;
        _memory = new TensorMemory(device ?? DeviceMemory.Host, (nuint)(elementSize * width), type);
    }

    /// <summary>Rows of the tensor now; 0 if there is no tensor yet.</summary>
    public int Rows { get; private set; }

    /// <summary>Elements of a row.</summary>
    public int Width => _width;

    /// <summary>The ONNX Runtime tensor over the current rows. Owned by this object, changed by <see cref="Resize"/>.</summary>
    public nint Value => _tensor.Value;

    /// <summary>Hidden states: <c>[1, rows, width]</c> of a type that the host sees as floats.</summary>
    public static RowTensor Hidden(int width, DeviceMemory? device = null, OrtElementType type = OrtElementType.Float) => new(device, type, type.Size(), 3, width);

    /// <summary>Positions: <c>int64 [1, rows]</c>.</summary>
    public static RowTensor Positions(DeviceMemory? device = null) => new(device, OrtElementType.Int64, sizeof(long), 2, 1);

    /// <summary>Row numbers: <c>int64 [rows]</c>.</summary>
    public static RowTensor Indices(DeviceMemory? device = null) => new(device, OrtElementType.Int64, sizeof(long), 1, 1);

    /// <summary>Scores: <c>float [rows]</c>.</summary>
    public static RowTensor Scores(DeviceMemory? device = null) => new(device, OrtElementType.Float, sizeof(float), 1, 1);

    /// <summary>Makes the tensor cover <paramref name="rows"/> rows. The content survives only if the memory need not grow.</summary>
    public void Resize(int rows)
    {
        if (rows == Rows)
        {
            return;
        }

        Reserve(rows);
        _tensor.Replace(View(rows));
        Rows = rows;
    }

    /// <summary>Sees to it that <paramref name="rows"/> rows fit, so that no <see cref="Resize"/> up to there allocates. If the memory has to grow, content and tensor are gone.</summary>
    public void Reserve(int rows)
    {
        nuint bytes = Bytes(rows);
        if (bytes > _memory.ByteLength)
        {
            Release();
            _memory.Reserve(bytes);
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
        return _memory.CreateTensor(Bytes(rows), shape, _type);
    }

    /// <summary>The current rows as the host has them; it writes here, and calls <see cref="Upload"/> behind that.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    public Span<T> Span<T>()
        where T : unmanaged => _memory.Span<T>(Rows * _width);

    /// <summary>The first rows as the last run left them; copied from the device if the host has not got them since.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    public ReadOnlySpan<T> Read<T>(int rows)
        where T : unmanaged
    {
        if (_isBehind)
        {
            _memory.Download(Bytes(rows));
            _isBehind = rows < Rows;
        }

        return _memory.Span<T>(rows * _width);
    }

    /// <summary>The current rows as the last run left them.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    public ReadOnlySpan<T> Read<T>()
        where T : unmanaged => Read<T>(Rows);

    /// <summary>Hands the current rows, as the host has written them, to the device.</summary>
    public void Upload() => _memory.Upload(Bytes(Rows));

    /// <summary>Says that a run has written the tensor.</summary>
    public void MarkWritten() => _isBehind = _memory.IsRemote;

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        _tensor.Dispose();
        _memory.Dispose();
    }

    private nuint Bytes(int rows) => checked((nuint)rows * (nuint)_width * (nuint)_elementSize);

    private void Release()
    {
        _tensor.Replace(0);
        Rows = 0;
    }
}

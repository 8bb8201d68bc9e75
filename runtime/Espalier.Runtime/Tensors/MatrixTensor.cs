using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>A tensor, in the memory of a device (the host's where none is named), <c>float [1, rows, columns]</c> whose rows and columns change from run to run.</summary>
/// <remarks>The memory grows and never shrinks; the tensor over it is made anew when its shape changes, which costs a native allocation and no managed one. Not thread-safe.</remarks>
internal sealed class MatrixTensor(DeviceMemory? device = null) : IDisposable
{
    private readonly TensorMemory _memory = new(device ?? DeviceMemory.Host, sizeof(float));
    private readonly HeldTensor _tensor = new();
    private int _rows;
    private int _columns;

    /// <summary>The ONNX Runtime tensor over the elements. Owned by this object, changed by <see cref="Resize"/>.</summary>
    public nint Value => _tensor.Value;

    /// <summary>The elements, row by row, as the host has them; it writes here, and calls <see cref="Upload"/> behind that.</summary>
    public Span<float> Span => _memory.Span<float>(_rows * _columns);

    /// <summary>Makes the tensor cover so many rows and columns; what they hold is undefined.</summary>
    public void Resize(int rows, int columns)
    {
        if (Value != 0 && rows == _rows && columns == _columns)
        {
            return;
        }

        nuint bytes = checked((nuint)rows * (nuint)columns * sizeof(float));
        _ = checked(rows * columns);
        Release();
        _memory.Reserve(bytes);
        _tensor.Replace(_memory.CreateTensor(bytes, [1, rows, columns], OrtElementType.Float));
        (_rows, _columns) = (rows, columns);
    }

    /// <summary>Sees to it that so many elements need no other memory.</summary>
    public void Reserve(nuint elements)
    {
        nuint bytes = checked(elements * sizeof(float));
        if (bytes > _memory.ByteLength)
        {
            Release();
            _memory.Reserve(bytes);
        }
    }

    /// <summary>Hands the elements, as the host has written them, to the device.</summary>
    public void Upload() => _memory.Upload((nuint)(_rows * _columns) * sizeof(float));

    /// <summary>Fetches the elements, as a run has written them, from the device.</summary>
    public void Download() => _memory.Download((nuint)(_rows * _columns) * sizeof(float));

    /// <inheritdoc/>
    public void Dispose()
    {
        _tensor.Dispose();
        _memory.Dispose();
    }

    private void Release()
    {
        _tensor.Replace(0);
        (_rows, _columns) = (0, 0);
    }
}

using System.Runtime.CompilerServices;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>A tensor of equal blocks of lines, in the memory of a device: <c>[blocks, lines, columns]</c>, or <c>[blocks, columns]</c> for integers, which have one line a block.</summary>
/// <remarks>The memory grows and never shrinks; the tensor over it is made anew when its shape changes, which costs a native allocation and no managed one. Not thread-safe.</remarks>
internal sealed class BlockTensor<T>(DeviceMemory device, OrtElementType type) : IDisposable
    where T : unmanaged
{
    private readonly TensorMemory _memory = new(device, (nuint)Unsafe.SizeOf<T>());
    private readonly HeldTensor _tensor = new();
    private int _blocks;
    private int _lines;

    /// <summary>The ONNX Runtime tensor over the elements. Owned by this object, changed by <see cref="Resize"/>.</summary>
    public nint Value => _tensor.Value;

    /// <summary>Columns of a line.</summary>
    public int Columns { get; private set; }

    /// <summary>Makes the tensor cover so many blocks; what they hold is undefined.</summary>
    public void Resize(int blocks, int lines, int columns)
    {
        if (Value != 0 && blocks == _blocks && lines == _lines && columns == Columns)
        {
            return;
        }

        Reserve(checked((long)blocks * lines * columns));
        nuint bytes = (nuint)blocks * (nuint)lines * (nuint)columns * (nuint)Unsafe.SizeOf<T>();
        ReadOnlySpan<long> shape = type == OrtElementType.Int64 ? [blocks, columns] : [blocks, lines, columns];
        _tensor.Replace(_memory.CreateTensor(bytes, shape, type));
        (_blocks, _lines, Columns) = (blocks, lines, columns);
    }

    /// <summary>Sees to it that so many elements need no other memory. If the memory has to grow, content and tensor are gone.</summary>
    public void Reserve(long elements)
    {
        nuint bytes = checked((nuint)elements * (nuint)Unsafe.SizeOf<T>());
        if (bytes > _memory.ByteLength)
        {
            _tensor.Replace(0);
            _memory.Reserve(bytes);
        }
    }

    /// <summary>The elements of a block, line by line, as the host has them; it writes here, and calls <see cref="Upload"/> behind that.</summary>
    public Span<T> Block(int block) => _memory.Span<T>(checked(_blocks * _lines * Columns)).Slice(block * _lines * Columns, _lines * Columns);

    /// <summary>Hands all elements, as the host has written them, to the device.</summary>
    public void Upload() => _memory.Upload((nuint)_blocks * (nuint)_lines * (nuint)Columns * (nuint)Unsafe.SizeOf<T>());

    /// <inheritdoc/>
    public void Dispose()
    {
        _tensor.Dispose();
        _memory.Dispose();
    }
}

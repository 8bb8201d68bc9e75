using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The weights of a merge, <c>float [1, merged rows, rows]</c>, in memory that the host writes.</summary>
/// <remarks>The memory grows and never shrinks; the tensor over it is made anew when its shape changes, which costs a native allocation and no managed one. Not thread-safe.</remarks>
internal sealed unsafe class MergeWeights : IDisposable
{
    private NativeBuffer _memory = NativeBuffer.Allocate(sizeof(float));
    private int _merged;
    private int _rows;

    /// <summary>The ONNX Runtime tensor over the weights. Owned by this object, changed by <see cref="Reset"/>.</summary>
    public nint Value { get; private set; }

    /// <summary>The weights, a row a merged row.</summary>
    public Span<float> Span => new((void*)_memory.Pointer, _merged * _rows);

    /// <summary>Makes room for a merge of <paramref name="rows"/> rows into <paramref name="merged"/>; all weights are zero.</summary>
    public Span<float> Reset(int merged, int rows)
    {
        if (merged != _merged || rows != _rows)
        {
            nuint bytes = checked((nuint)merged * (nuint)rows * sizeof(float));
            Release();
            if (bytes > _memory.ByteLength)
            {
                NativeBuffer larger = NativeBuffer.Allocate(bytes);
                _memory.Dispose();
                _memory = larger;
            }

            Value = OrtRaw.CreateTensor(_memory.Pointer, bytes, [1, merged, rows], OrtElementType.Float);
            (_merged, _rows) = (merged, rows);
        }

        Span.Clear();
        return Span;
    }

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

        (_merged, _rows) = (0, 0);
    }
}

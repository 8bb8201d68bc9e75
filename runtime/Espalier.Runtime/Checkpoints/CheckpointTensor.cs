namespace Espalier;

/// <summary>One tensor of an open checkpoint: its shape and where its elements lie in the mapped file, row-major and little-endian.</summary>
/// <remarks>Valid while its <see cref="Checkpoint"/> or a <see cref="CheckpointLease"/> of it is not disposed. Immutable, thread-safe for reads.</remarks>
public readonly struct CheckpointTensor
{
    private readonly CheckpointMapping _mapping;
    private readonly nint _data;
    private readonly long[] _shape;

    internal CheckpointTensor(CheckpointMapping mapping, string file, string name, TensorType type, long[] shape, nint data, long byteLength)
    {
        _mapping = mapping;
        _data = data;
        _shape = shape;
        File = file;
        Name = name;
        Type = type;
        ByteLength = byteLength;
    }

    /// <summary>Canonical name, for example <c>language_model.layers.0.self_attn.q_proj.weight</c>.</summary>
    public string Name { get; }

    /// <summary>Path of the file that holds it.</summary>
    public string File { get; }

    /// <summary>Type of an element.</summary>
    public TensorType Type { get; }

    /// <summary>Dimensions, outermost first; empty for a scalar. Weights of linear layers are [output, input].</summary>
    public ReadOnlyMemory<long> Shape => _shape;

    /// <summary>Bytes of all elements.</summary>
    public long ByteLength { get; }

    /// <summary>Number of elements.</summary>
    public long Elements
    {
        get
        {
            _ = Shapes.TryCountElements(_shape, out long elements);
            return elements;
        }
    }

    /// <summary>The first element. Memory of the checkpoint, read-only: writing to it ends the process.</summary>
    /// <remarks>Not guaranteed to be aligned, see <see cref="IsAligned"/>. Hold a <see cref="CheckpointLease"/> while the pointer is in use.</remarks>
    /// <exception cref="ObjectDisposedException">The checkpoint and all its leases are disposed.</exception>
    public nint Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(!_mapping.IsMapped, typeof(Checkpoint));
            return _data;
        }
    }

    /// <summary>True if <see cref="Data"/> is a multiple of the size of an element, so that native code may read it as it is. The safetensors format does not promise this.</summary>
    public bool IsAligned => _data % Math.Max(1, Type.Bits() / 8) == 0;

    /// <summary>The weights of two dimensions among some tensors: names and shapes.</summary>
    internal static IEnumerable<(string Name, long[] Shape)> Matrices(IEnumerable<CheckpointTensor> tensors) =>
        tensors.Where(static tensor => tensor._shape.Length == 2 && tensor.Type.IsWeight()).Select(static tensor => (tensor.Name, tensor._shape));

    /// <summary>Copies elements to floats, converting from the stored type. Both 16-bit types convert without loss.</summary>
    /// <param name="firstElement">Index of the first element to copy, in row-major order.</param>
    /// <param name="destination">Receives as many elements as it has room for.</param>
    /// <remarks>Allocates nothing.</remarks>
    /// <exception cref="TensorTypeException">The tensor is neither F32, F16 nor BF16.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the tensor.</exception>
    /// <exception cref="ObjectDisposedException">The checkpoint and all its leases are disposed.</exception>
    public void ReadFloats(long firstElement, Span<float> destination)
    {
        if (!Type.IsWeight())
        {
            throw new TensorTypeException(File, Name, Type);
        }

        ArgumentOutOfRangeException.ThrowIfNegative(firstElement);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstElement, Elements - destination.Length);
        ObjectDisposedException.ThrowIf(!_mapping.TryAddReference(), typeof(Checkpoint));
        try
        {
            nint first = _data + (nint)(firstElement * (Type.Bits() / 8));
            switch (Type)
            {
                case TensorType.F32:
                    FloatConversion.FromSingles(first, destination);
                    break;
                case TensorType.F16:
                    FloatConversion.FromHalves(first, destination);
                    break;
                default:
                    FloatConversion.FromBFloats(first, destination);
                    break;
            }
        }
        finally
        {
            _mapping.Release();
        }
    }
}

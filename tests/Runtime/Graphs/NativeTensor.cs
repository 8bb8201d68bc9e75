using Espalier.OnnxRuntime;

namespace Espalier.Tests.Graphs;

/// <summary>A tensor in native memory that tests bind to sessions.</summary>
internal sealed class NativeTensor : IDisposable
{
    private readonly OrtElementType _type;

    private NativeTensor(OrtElementType type, long[] shape)
    {
        _type = type;
        Shape = shape;
        Value = OrtValue.Allocate(shape, type);
    }

    public OrtValue Value { get; }

    public long[] Shape { get; }

    public Span<float> Floats => Elements<float>(OrtElementType.Float);

    public Span<int> Ints => Elements<int>(OrtElementType.Int32);

    public Span<long> Longs => Elements<long>(OrtElementType.Int64);

    /// <summary>A tensor whose elements nobody has written yet: not-a-number, so that a test that reads one fails.</summary>
    public static NativeTensor Empty(params long[] shape)
    {
        var tensor = new NativeTensor(OrtElementType.Float, shape);
        tensor.Floats.Fill(float.NaN);
        return tensor;
    }

    public static NativeTensor Of(ReadOnlySpan<float> elements, params long[] shape)
    {
        var tensor = new NativeTensor(OrtElementType.Float, shape);
        elements.CopyTo(tensor.Floats);
        return tensor;
    }

    public static NativeTensor Of(params int[] elements)
    {
        var tensor = new NativeTensor(OrtElementType.Int32, [elements.Length]);
        elements.CopyTo(tensor.Ints);
        return tensor;
    }

    public static NativeTensor Of(ReadOnlySpan<long> elements, params long[] shape)
    {
        var tensor = new NativeTensor(OrtElementType.Int64, shape);
        elements.CopyTo(tensor.Longs);
        return tensor;
    }

    public void Dispose() => Value.Dispose();

    private Span<T> Elements<T>(OrtElementType type)
        where T : unmanaged
    {
        Assert.Equal(type, _type);
        return Value.AsSpan<T>();
    }
}

using Espalier.Graphs;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Weights in 16 bits: the mapped file where the checkpoint has them in just that type, else rounded from single precision.</summary>
internal static class RoundedWeights
{
    // Floats that are rounded at a time.
    private const int Chunk = 1 << 12;

    /// <summary>Reads a weight.</summary>
    /// <param name="use">The weight in 16 bits.</param>
    /// <param name="single">The same in single precision.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="mapping">What holds its memory open.</param>
    /// <param name="read">Reads the weight in single precision, where it is more than a tensor of the checkpoint; the result is disposed here.</param>
    /// <returns>The caller's.</returns>
    public static OrtValue Read(WeightUse use, WeightUse single, Checkpoint checkpoint, CheckpointLease mapping, Func<WeightUse, OrtValue> read)
    {
        if (single.Slice is null && single.Name is not (DerivedWeights.RopeCos or DerivedWeights.RopeSin))
        {
            CheckpointTensor tensor = checkpoint.GetTensor(single.Name, single.Shape);
            bool isStoredSo = tensor.Type == (use.Type == OrtElementType.Float16 ? TensorType.F16 : TensorType.BF16);
            return isStoredSo && tensor.IsAligned
                ? OrtValue.Over(mapping, tensor.Data, (nuint)tensor.ByteLength, use.Shape, use.Type)
                : Round(use, tensor);
        }

        using OrtValue whole = single.Slice is null ? read(single) : WeightStore.Over(checkpoint.GetTensor(single.Source, single.Slice.WholeShape), single, mapping);
        return Round(use, whole, checkpoint.Folder);
    }

    /// <summary>Rounds a weight that is in memory.</summary>
    /// <param name="use">The weight in 16 bits.</param>
    /// <param name="whole">The weight in single precision.</param>
    /// <param name="file">Where it comes from, for messages.</param>
    public static OrtValue Round(WeightUse use, OrtValue whole, string file)
    {
        OrtValue value = OrtValue.Allocate(use.Shape, use.Type);
        try
        {
            ReadOnlySpan<float> floats = whole.AsSpan<float>();
            Span<ushort> rounded = value.AsSpan<ushort>();
            for (int first = 0; first < floats.Length; first += Chunk)
            {
                int count = Math.Min(Chunk, floats.Length - first);
                Round(floats.Slice(first, count), rounded.Slice(first, count), use, file);
            }

            return value;
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }

    private static OrtValue Round(WeightUse use, CheckpointTensor tensor)
    {
        OrtValue value = OrtValue.Allocate(use.Shape, use.Type);
        try
        {
            Span<float> floats = stackalloc float[Chunk];
            Span<ushort> rounded = value.AsSpan<ushort>();
            for (int first = 0; first < rounded.Length; first += Chunk)
            {
                int count = Math.Min(Chunk, rounded.Length - first);
                tensor.ReadFloats(first, floats[..count]);
                Round(floats[..count], rounded.Slice(first, count), use, tensor.File);
            }

            return value;
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }

    private static void Round(ReadOnlySpan<float> floats, Span<ushort> rounded, WeightUse use, string file)
    {
        HalfConversion.Round(floats, rounded, use.Type);
        ushort infinity = use.Type == OrtElementType.Float16 ? (ushort)0x7C00 : (ushort)0x7F80;
        for (int i = 0; i < rounded.Length; i++)
        {
            if ((rounded[i] & 0x7FFF) == infinity && float.IsFinite(floats[i]))
            {
                throw new WeightRangeException(file, use.Source, floats[i]);
            }
        }
    }
}

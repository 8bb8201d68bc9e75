using Espalier.Graphs;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The weights of a checkpoint as ONNX Runtime tensors: one tensor a name, shared by every session, kind and variant.</summary>
/// <remarks>32-bit weights and quantised ones are the mapped files themselves; 16-bit weights become 32-bit once. Not thread-safe: <see cref="SessionCache"/> holds its lock. Each tensor holds its memory open, and each session its tensors.</remarks>
internal sealed class WeightStore(Checkpoint checkpoint) : IDisposable
{
    private readonly Dictionary<string, OrtValue> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<(string File, string Name), OrtValue> _roundedLearned = [];
    private readonly List<QuantisedWeights> _quantised = [];
    private readonly CheckpointLease _mapping = checkpoint.Lease();

    /// <summary>Adds a file of quantised weights, which the store disposes.</summary>
    public void Add(QuantisedWeights quantised) => _quantised.Add(quantised);

    /// <summary>The tensor of a weight.</summary>
    /// <param name="use">Name and shape as the graph declares them.</param>
    /// <exception cref="CheckpointException">The checkpoint has no such tensor, or another shape or type.</exception>
    public OrtValue Get(WeightUse use)
    {
        if (!_values.TryGetValue(use.Name, out OrtValue? value))
        {
            if (use.Name is DerivedWeights.RopeCos or DerivedWeights.RopeSin)
            {
                AddRotaryTables(use);
                return _values[use.Name];
            }

            value = use.RoundedFrom is { } single ? RoundedWeights.Read(use, single, checkpoint, _mapping, Read) : Load(use);
            _values.Add(use.Name, value);
        }

        return value;
    }

    /// <summary>The tensor of a weight that no session of the host uses, for the caller to dispose.</summary>
    /// <inheritdoc cref="Get"/>
    public OrtValue Read(WeightUse use)
    {
        if (use.RoundedFrom is { } single)
        {
            return RoundedWeights.Read(use, single, checkpoint, _mapping, Read);
        }

        if (use.Name is not (DerivedWeights.RopeCos or DerivedWeights.RopeSin))
        {
            return Over(checkpoint.GetTensor(use.Source, use.Slice?.WholeShape ?? use.Shape), use, _mapping);
        }

        (OrtValue cosines, OrtValue sines) = RotaryTables(use);
        (use.Name == DerivedWeights.RopeCos ? sines : cosines).Dispose();
        return use.Name == DerivedWeights.RopeCos ? cosines : sines;
    }

    /// <summary>What a format stores for a weight, which the file that holds it keeps; null if it is none of those.</summary>
    public OrtValue? Quantised(WeightUse use)
    {
        foreach (QuantisedWeights weights in _quantised)
        {
            if (weights.TryGet(use, out OrtValue? quantised))
            {
                return quantised;
            }
        }

        return null;
    }

    /// <summary>A learned weight in the precision that a graph reads it in.</summary>
    /// <param name="use">The weight.</param>
    /// <param name="file">Where it was learned.</param>
    /// <param name="learned">The weight in single precision.</param>
    public OrtValue Rounded(WeightUse use, string file, OrtValue learned)
    {
        if (use.RoundedFrom is null)
        {
            return learned;
        }

        if (!_roundedLearned.TryGetValue((file, use.Name), out OrtValue? value))
        {
            value = RoundedWeights.Round(use, learned, file);
            _roundedLearned.Add((file, use.Name), value);
        }

        return value;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OrtValue value in _roundedLearned.Values)
        {
            value.Dispose();
        }

        _roundedLearned.Clear();
        foreach (OrtValue value in _values.Values)
        {
            value.Dispose();
        }

        _values.Clear();
        _quantised.ForEach(static weights => weights.Dispose());
        _mapping.Dispose();
    }

    private OrtValue Load(WeightUse use) => Quantised(use) ?? Over(checkpoint.GetTensor(use.Source, use.Slice?.WholeShape ?? use.Shape), use, _mapping);

    /// <summary>A weight for sessions: the mapped memory itself, or a copy in 32 bits.</summary>
    /// <param name="tensor">The checkpoint's tensor that the weight is, or is a part of.</param>
    /// <param name="use">The weight.</param>
    /// <param name="mapping">What holds the memory open.</param>
    public static unsafe OrtValue Over(CheckpointTensor tensor, WeightUse use, CheckpointLease mapping)
    {
        long[] shape = [.. use.Shape];
        if (use.Slice is not { } slice)
        {
            return Over(tensor, shape, mapping);
        }

        if (slice.IsContiguous && tensor.Type == TensorType.F32 && tensor.IsAligned)
        {
            nint start = (nint)((float*)tensor.Data + (slice.Runs[0].Start * (shape.Length == 1 ? 1 : shape[1])));
            return OrtValue.Over(mapping, start, (nuint)use.ByteCount, shape, OrtElementType.Float);
        }

        OrtValue value = OrtValue.Allocate(shape, OrtElementType.Float);
        slice.Copy(tensor, value.AsSpan<float>());
        return value;
    }

    /// <summary>A tensor for sessions: the mapped memory itself, or a copy in 32 bits.</summary>
    public static OrtValue Over(CheckpointTensor tensor, long[] shape, CheckpointLease mapping)
    {
        if (tensor.Type == TensorType.F32 && tensor.IsAligned)
        {
            return OrtValue.Over(mapping, tensor.Data, (nuint)tensor.ByteLength, shape, OrtElementType.Float);
        }

        OrtValue value = OrtValue.Allocate(shape, OrtElementType.Float);
        tensor.ReadFloats(0, value.AsSpan<float>());
        return value;
    }

    private void AddRotaryTables(WeightUse use)
    {
        (OrtValue cosines, OrtValue sines) = RotaryTables(use);
        _values.Add(DerivedWeights.RopeCos, cosines);
        _values.Add(DerivedWeights.RopeSin, sines);
    }

    private (OrtValue Cosines, OrtValue Sines) RotaryTables(WeightUse use)
    {
        long[] shape = [.. use.Shape];
        OrtValue cosines = OrtValue.Allocate(shape, OrtElementType.Float);
        OrtValue sines = OrtValue.Allocate(shape, OrtElementType.Float);
        Graphs.RotaryTables.Fill(checkpoint.Geometry.Text, cosines.AsSpan<float>(), sines.AsSpan<float>());
        return (cosines, sines);
    }
}

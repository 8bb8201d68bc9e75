using System.Diagnostics.CodeAnalysis;
using Espalier.Graphs;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>The weights of a learned file as ONNX Runtime tensors, which go before those of the checkpoint: its tensors, those that were made of them, and its linear layers in quantised formats.</summary>
/// <remarks>Not thread-safe: <see cref="SessionCache"/> holds its lock. It goes before the file.</remarks>
internal sealed class LearnedWeights(LearnedFile file) : IDisposable
{
    private readonly Dictionary<string, OrtValue> _values = new(StringComparer.Ordinal);
    private readonly List<QuantisedWeights> _quantised = [];
    private readonly CheckpointLease _mapping = file.Lease();

    /// <summary>The file.</summary>
    public string Path => file.Path;

    /// <summary>Adds its linear layers in a quantised format, which are disposed with it.</summary>
    public void Add(QuantisedWeights quantised) => _quantised.Add(quantised);

    /// <summary>True if the file holds a weight that the graph reads.</summary>
    public bool IsReadBy(GraphModel graph)
    {
        foreach (WeightUse use in graph.Weights)
        {
            if (file.Has(use.Source) || _quantised.Exists(quantised => quantised.Has(use)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The tensor of a weight for sessions; false if the file does not hold it.</summary>
    public bool TryGet(WeightUse use, [NotNullWhen(true)] out OrtValue? value)
    {
        if (_values.TryGetValue(use.Name, out value) || file.TryGetDerived(use.Name, out value))
        {
            return true;
        }

        foreach (QuantisedWeights quantised in _quantised)
        {
            if (quantised.TryGet(use, out value))
            {
                _values.Add(use.Name, value);
                return true;
            }
        }

        if (file.Has(use.Source))
        {
            value = WeightStore.Over(file.GetTensor(use.Source, use.Slice?.WholeShape ?? use.Shape), use, _mapping);
            _values.Add(use.Name, value);
        }

        return value is not null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OrtValue value in _values.Values)
        {
            value.Dispose();
        }

        _values.Clear();
        _quantised.ForEach(static quantised => quantised.Dispose());
        _mapping.Dispose();
    }
}

using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>A safetensors file beside a checkpoint: what a method learned. Its tensors are new ones, or replace those of the checkpoint that have their names.</summary>
/// <remarks>Mapped until disposed, and longer while a lease on it is held. Thread-safe, but for its disposal.</remarks>
internal sealed class LearnedFile : IWeightSource, IDisposable
{
    private readonly Dictionary<string, CheckpointTensor> _tensors;
    private readonly ConcurrentDictionary<string, OrtValue> _derived = new(StringComparer.Ordinal);
    private readonly CheckpointMapping _mapped;
    private readonly CheckpointLease _mapping;

    private LearnedFile(string path, CheckpointMapping mapping, ShardReader reader)
    {
        Path = path;
        _tensors = reader.Tensors;
        Metadata = reader.Metadata;
        _mapped = mapping;
        _mapping = new CheckpointLease(mapping);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The folder of the file, which is the checkpoint's.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>The texts of the header.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="CheckpointException">The file cannot be read or is malformed.</exception>
    public static LearnedFile Open(string path)
    {
        var mapping = new CheckpointMapping();
        try
        {
            var reader = new ShardReader(mapping);
            reader.Add(path);
            return new LearnedFile(path, mapping, reader);
        }
        catch
        {
            mapping.Release();
            throw;
        }
    }

    /// <summary>The canonical names of its tensors.</summary>
    public IEnumerable<string> Names => _tensors.Keys;

    /// <summary>Its weights of two dimensions: names and shapes.</summary>
    public IEnumerable<(string Name, long[] Shape)> Matrices => CheckpointTensor.Matrices(_tensors.Values);

    /// <summary>Finds a tensor of any shape and type.</summary>
    public bool TryGet(string name, out CheckpointTensor tensor) => _tensors.TryGetValue(name, out tensor);

    /// <summary>True if the file has a tensor of this canonical name.</summary>
    public bool Has(string name) => _tensors.ContainsKey(name);

    /// <summary>True if a tensor of this name was made of others.</summary>
    public bool IsDerived(string name) => _derived.ContainsKey(name);

    /// <summary>The tensor of this name that was made of others; the file's own, and disposed with it.</summary>
    public bool TryGetDerived(string name, [NotNullWhen(true)] out OrtValue? value) => _derived.TryGetValue(name, out value);

    /// <summary>Adds a tensor that was made of others, for sessions that read it beside those of the file. Where two models are loaded at once, the first one's stays.</summary>
    public void Derive(string name, ReadOnlySpan<long> shape, ReadOnlySpan<float> values)
    {
        OrtValue value = OrtValue.Allocate(shape, OrtElementType.Float);
        values.CopyTo(value.AsSpan<float>());
        if (!_derived.TryAdd(name, value))
        {
            value.Dispose();
        }
    }

    /// <summary>A tensor of the file.</summary>
    /// <exception cref="CheckpointException">There is none of this name, or it has another shape or is no weight.</exception>
    public CheckpointTensor GetTensor(string name, ReadOnlySpan<long> shape)
    {
        if (!_tensors.TryGetValue(name, out CheckpointTensor tensor))
        {
            throw new MissingTensorException(Path, [name]);
        }

        if (!tensor.Shape.Span.SequenceEqual(shape))
        {
            throw new TensorShapeException(Path, name, shape, tensor.Shape.Span);
        }

        return tensor.Type.IsWeight() ? tensor : throw new TensorTypeException(Path, name, tensor.Type);
    }

    /// <inheritdoc/>
    public CheckpointLease Lease() => _mapped.TryAddReference() ? new CheckpointLease(_mapped) : throw new ObjectDisposedException(Path);

    /// <summary>Checks that every tensor is one of the method's own or replaces one of a decoder layer.</summary>
    /// <param name="geometry">The model.</param>
    /// <param name="own">Names of the method's tensors, which the caller has checked.</param>
    public void RequireLayersBeside(ModelGeometry geometry, IReadOnlySet<string> own)
    {
        const string Layers = "language_model.layers.";
        var layers = new Dictionary<string, long[]>(StringComparer.Ordinal);
        foreach ((string name, long[] shape) in RequiredTensors.Of(geometry))
        {
            if (name.StartsWith(Layers, StringComparison.Ordinal))
            {
                layers.Add(name, shape);
            }
        }

        foreach (string name in _tensors.Keys)
        {
            if (layers.TryGetValue(name, out long[]? shape))
            {
                _ = GetTensor(name, shape);
            }
            else if (!own.Contains(name))
            {
                throw new UnexpectedTensorException(Path, ConfigValue.Shorten(name, 200), "a tensor of a decoder layer of this model, nor one that the method has");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OrtValue value in _derived.Values)
        {
            value.Dispose();
        }

        _derived.Clear();
        _mapping.Dispose();
    }
}

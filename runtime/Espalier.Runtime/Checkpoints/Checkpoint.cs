using Espalier.Planning;

namespace Espalier;

/// <summary>A Hugging Face model folder: its shapes, and its weights mapped into memory.</summary>
/// <remarks>
/// Reads <c>config.json</c>, <c>generation_config.json</c> if there is one, and <c>model.safetensors</c> or the shards of <c>model.safetensors.index.json</c>.
/// Weights are mapped, not copied, so opening is fast and any number of models and variants share the pages; safe to read from several threads.
/// Disposing it, once or more often, unmaps the weights unless a <see cref="CheckpointLease"/> still holds them.
/// Files must not change while they are mapped: .NET programs are kept from writing by a lock, but if another program truncates a file,
/// the operating system ends the process at the next read behind its new end.
/// </remarks>
public sealed partial class Checkpoint : IWeightSource, IDisposable
{
    private readonly CheckpointMapping _mapping;
    private readonly Dictionary<string, CheckpointTensor> _tensors;
    private int _disposed;

    private Checkpoint(string folder, ModelGeometry geometry, GenerationDefaults generation, CheckpointMapping mapping, Dictionary<string, CheckpointTensor> tensors)
    {
        Folder = folder;
        Geometry = geometry;
        GenerationDefaults = generation;
        _mapping = mapping;
        _tensors = tensors;
        HeadTensorName = tensors.ContainsKey(CanonicalNames.Head) ? CanonicalNames.Head : CanonicalNames.Embeddings;
    }

    /// <summary>The folder, as it was given.</summary>
    public string Folder { get; }

    /// <summary>The shapes that <c>config.json</c> declares. Every tensor that they need was found with its right shape.</summary>
    public ModelGeometry Geometry { get; }

    /// <summary>What the checkpoint recommends for generating.</summary>
    public GenerationDefaults GenerationDefaults { get; }

    /// <summary>The tensor that maps hidden states to logits, [vocabulary, hidden]: <c>lm_head.weight</c>, or the embedding table where the checkpoint has no head of its own.</summary>
    /// <remarks>The file decides, not <c>tie_word_embeddings</c>, which may stand at two places or be left out.</remarks>
    public string HeadTensorName { get; }

    /// <summary>The canonical names of all tensors, in no particular order.</summary>
    public IEnumerable<string> TensorNames => _tensors.Keys;

    /// <summary>All weights of two dimensions: names and shapes.</summary>
    internal IEnumerable<(string Name, long[] Shape)> Matrices => CheckpointTensor.Matrices(_tensors.Values);

    /// <summary>Finds a tensor of any type by its canonical name.</summary>
    /// <param name="canonicalName">For example <c>language_model.layers.0.self_attn.q_proj.weight</c>.</param>
    /// <param name="tensor">The tensor, a view on the mapped file; unspecified if there is none of the name.</param>
    /// <exception cref="ObjectDisposedException">The checkpoint is disposed.</exception>
    public bool TryGetTensor(string canonicalName, out CheckpointTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(canonicalName);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return _tensors.TryGetValue(canonicalName, out tensor);
    }

    /// <summary>Returns a weight by its canonical name.</summary>
    /// <param name="canonicalName">For example <c>language_model.layers.0.self_attn.q_proj.weight</c>.</param>
    /// <param name="expectedShape">The shape that it must have, outermost dimension first.</param>
    /// <exception cref="MissingTensorException">There is no such tensor.</exception>
    /// <exception cref="TensorShapeException">It has another shape.</exception>
    /// <exception cref="TensorTypeException">It is neither F32, F16 nor BF16.</exception>
    /// <exception cref="ObjectDisposedException">The checkpoint is disposed.</exception>
    public CheckpointTensor GetTensor(string canonicalName, ReadOnlySpan<long> expectedShape)
    {
        if (!TryGetTensor(canonicalName, out CheckpointTensor tensor))
        {
            throw new MissingTensorException(Folder, [canonicalName]);
        }

        if (!tensor.Shape.Span.SequenceEqual(expectedShape))
        {
            throw new TensorShapeException(tensor.File, canonicalName, expectedShape, tensor.Shape.Span);
        }

        return tensor.Type.IsWeight() ? tensor : throw new TensorTypeException(tensor.File, canonicalName, tensor.Type);
    }

    /// <summary>Checks that this is the model that a class was compiled for.</summary>
    /// <param name="compiled">The shapes that the compiler read.</param>
    /// <exception cref="GeometryMismatchException">It is another one; the message names the fields that differ.</exception>
    public void RequireGeometry(ModelGeometry compiled)
    {
        ArgumentNullException.ThrowIfNull(compiled);
        List<string> differences = GeometryComparison.Differences(compiled, Geometry);
        if (differences.Count > 0)
        {
            throw new GeometryMismatchException(Path.Combine(Folder, ConfigFile), differences);
        }
    }

    /// <summary>Keeps the weights mapped until the lease is disposed, whatever becomes of the checkpoint.</summary>
    /// <exception cref="ObjectDisposedException">The checkpoint is disposed.</exception>
    public CheckpointLease Lease()
    {
        ObjectDisposedException.ThrowIf(_disposed != 0 || !_mapping.TryAddReference(), this);
        return new CheckpointLease(_mapping);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            ReleaseSessions();
            _mapping.Release();
        }
    }
}

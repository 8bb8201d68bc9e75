using Espalier.Planning;
using Espalier.Text;
using Espalier.Vision;

namespace Espalier;

/// <summary>A loaded vision-language model with one plan of visual-token reductions. Declared classes derive from it; the compiler writes their loops.</summary>
/// <remarks>
/// <para>Thread-safe: several sequences may run on one model at the same time. The checkpoint may be disposed before the model; its memory stays until the last model and sequence are gone.</para>
/// <para>Sessions are built at construction and shared with every other model of the same <see cref="Espalier.Checkpoint"/>.</para>
/// </remarks>
public abstract partial class VisionLanguageModel : IDisposable
{
    private readonly SessionCache _cache;
    private readonly ModelSessions _sessions;
    private readonly EmbeddingTable _embeddings;
    private readonly PrefixCache _prefixes;
    private int _references = 1;
    private int _disposed;

    /// <summary>Builds the sessions that a plan needs.</summary>
    /// <param name="checkpoint">The weights. The model keeps it alive.</param>
    /// <param name="plan">What happens to the visual tokens, compiled for a geometry.</param>
    /// <param name="options">Device, precision and progress; null is the default.</param>
    /// <param name="precision">The declared number format of the linear layers, for options that name none.</param>
    /// <exception cref="CheckpointException">The compiled geometry is not the checkpoint's, a tensor is missing or has another shape, or quantised weights cannot be made or stored.</exception>
    /// <exception cref="PrecisionNotSupportedException">The device cannot run the precision.</exception>
    /// <exception cref="Text.TokenizerException">The plan asks for tokens that the tokenizer does not have.</exception>
    /// <exception cref="EspalierException">ONNX Runtime is missing or refuses a session.</exception>
    /// <exception cref="DirectoryNotFoundException">The options' folder for traces does not exist.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    protected VisionLanguageModel(Checkpoint checkpoint, ReductionPlan plan, ModelOptions? options, Precision precision = Precision.Float32)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(plan);
        checkpoint.RequireGeometry(plan.Geometry);
        LoadedPlan = plan;
        _cache = checkpoint.ShareSessions();
        try
        {
            _sessions = new ModelSessions(_cache, plan, options ?? new ModelOptions(), precision);
            _prefixes = new PrefixCache(_sessions);
            _embeddings = new EmbeddingTable(checkpoint);
            Tokenizer = checkpoint.Tokenizer;
            Preprocessor = checkpoint.Preprocessor;
            Prompt = checkpoint.Prompt;
            StopTokens = checkpoint.GenerationDefaults.EosTokenIds;
        }
        catch
        {
            _cache.Release();
            throw;
        }
    }

    /// <summary>The plan that this model runs.</summary>
    public ReductionPlan LoadedPlan { get; }

    /// <summary>The number format of the linear layers: what the class declares, or what it was loaded with.</summary>
    public Precision Precision => _sessions.Precision;

    /// <summary>Where and how the model runs, as one sentence: the device's provider, the precision and, on a device that can replay decode steps, whether it does, with the reason if it does not.</summary>
    public string Execution => _sessions.Execution;

    /// <summary>The checkpoint's tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The checkpoint's image preprocessing.</summary>
    public ImagePreprocessor Preprocessor { get; }

    /// <summary>The family's prompt.</summary>
    public PromptTemplate Prompt { get; }

    /// <summary>Tokens that end an answer.</summary>
    public IReadOnlyList<int> StopTokens { get; }

    /// <summary>Makes a sequence.</summary>
    /// <param name="capacity">Positions: prompt before any reduction in the decoder, and answer.</param>
    /// <exception cref="ArgumentOutOfRangeException">The capacity does not hold the visual tokens and a text token, or is above the positions that the model was trained for.</exception>
    public Sequence CreateSequence(int capacity)
    {
        CheckCapacity(capacity);
        return MakeSequence(capacity, place: null);
    }

    /// <summary>Runs a prompt: image through the tower, prefix (once), visual and suffix rows through the compiled loop. The logits of the first token are in <see cref="Sequence.Logits"/>.</summary>
    /// <param name="sequence">A sequence of this model; what it held is replaced.</param>
    /// <param name="prefix">Token ids in front of the image, BOS included. Their KV rows are cached across prompts.</param>
    /// <param name="pixels">Normalised pixels <c>[3, imageSize, imageSize]</c>, as <see cref="ImagePreprocessor.Process"/> writes them.</param>
    /// <param name="suffix">Token ids behind the image; at least one. Where a method reads the question with CLIP's own tokenizer, it gets the text that these decode to.</param>
    /// <param name="cancellationToken">Looked at before the vision tower and before each layer; a cancelled sequence can be used again.</param>
    /// <returns><see cref="StepResult.CapacityExhausted"/> if the prompt does not fit; nothing was run then.</returns>
    /// <exception cref="ArgumentException">A span has the wrong length, or a token id is out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public StepResult Prefill(Sequence sequence, ReadOnlySpan<int> prefix, ReadOnlySpan<float> pixels, ReadOnlySpan<int> suffix, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        if (pixels.Length != sequence.Image.PixelCount)
        {
            throw new ArgumentException($"The model takes {sequence.Image.PixelCount} pixel values, but {pixels.Length} were given.", nameof(pixels));
        }

        sequence.Enter(this);
        try
        {
            pixels.CopyTo(sequence.Image.Pixels);
            return PrefillPixels(sequence, prefix, suffix, question: null, cancellationToken);
        }
        finally
        {
            sequence.Leave();
        }
    }

    /// <summary>Adds one token and computes the logits of the next.</summary>
    /// <param name="sequence">A sequence of this model after a prefill.</param>
    /// <param name="token">The token id.</param>
    /// <param name="cancellationToken">Looked at before each layer.</param>
    /// <returns><see cref="StepResult.CapacityExhausted"/> if the sequence is full; nothing was run then.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The token id is out of range.</exception>
    /// <exception cref="InvalidOperationException">No prefill came before.</exception>
    public StepResult Decode(Sequence sequence, int token, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        sequence.Enter(this);
        try
        {
            return DecodeToken(sequence, token, cancellationToken);
        }
        finally
        {
            sequence.Leave();
        }
    }

    /// <summary>Answers a question about an image, as text that arrives while it is generated, without white space in front. Statistics of the whole are in <see cref="Sequence.Statistics"/> afterwards.</summary>
    /// <param name="sequence">A sequence of this model; what it held is replaced.</param>
    /// <param name="image">8-bit RGB pixels of any size.</param>
    /// <param name="question">The question; put into the family's prompt.</param>
    /// <param name="options">Sampling and length; null is greedy.</param>
    /// <param name="cancellationToken">Ends the answer before the vision tower or the next layer; the sequence and the model stay usable.</param>
    /// <exception cref="PromptTooLongException">The prompt does not fit the sequence.</exception>
    /// <exception cref="NonFiniteLogitsException">The model computed no numbers.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IAsyncEnumerable<string> AnswerAsync(
        Sequence sequence,
        RgbImage image,
        string question,
        AnswerOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        ArgumentNullException.ThrowIfNull(question);
        int imageToken = LoadedPlan.Geometry.ImageTokenId;
        return StreamAsync(sequence, (answer, cancel) => answer.Start(image, Prompt.Build(Tokenizer, question, imageToken), cancel), options, cancellationToken);
    }

    /// <summary>Releases the model; its memory goes when the last sequence is disposed too.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Release();
        }

        GC.SuppressFinalize(this);
    }

    internal bool IsStop(int token)
    {
        foreach (int stop in StopTokens)
        {
            if (stop == token)
            {
                return true;
            }
        }

        return false;
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _prefixes.Dispose();
            _cache.Release();
        }
    }

    /// <summary>What happens to an image before the decoder: tower and projector, and the reductions of the plan. Called with the pixels in place.</summary>
    /// <param name="pass">The image of one sequence.</param>
    protected virtual void EncodeImage(ImagePass pass)
    {
        ArgumentNullException.ThrowIfNull(pass);
        pass.RunTower();
        pass.Project();
    }

    /// <summary>The compiled prefill: every layer in order, steps between them. Called with the rows in place.</summary>
    /// <param name="pass">The rows of one sequence.</param>
    protected abstract void Prefill(ForwardPass pass);

    /// <summary>The compiled decode step: one row through every layer.</summary>
    /// <param name="pass">The rows of one sequence.</param>
    protected abstract void DecodeStep(ForwardPass pass);

    private void CheckCapacity(int capacity)
    {
        int smallest = LoadedPlan.ImagePositions + 2;
        int largest = LoadedPlan.Geometry.Text.MaxPositions;
        if (capacity < smallest || capacity > largest)
        {
            throw new ArgumentOutOfRangeException(nameof(capacity), capacity, $"A sequence of this model holds {smallest} to {largest} positions.");
        }
    }

    private Sequence MakeSequence(int capacity, BatchPlace? place)
    {
        Acquire();
        try
        {
            return new Sequence(this, _sessions, LoadedPlan, capacity, place);
        }
        catch
        {
            Release();
            throw;
        }
    }

    private void Acquire()
    {
        // Never from zero: a model whose last reference is gone has given its sessions back.
        int references = Volatile.Read(ref _references);
        do
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0 || references == 0, this);
        }
        while (references != (references = Interlocked.CompareExchange(ref _references, references + 1, references)));
    }
}

using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using Espalier.Imaging;
using Espalier.Text;
using Espalier.Vision;
using Microsoft.Extensions.AI;

namespace Espalier.Extensions.AI;

/// <summary>A chat client over a declared model: each request is a conversation about one image.</summary>
/// <remarks>
/// <para>Thread-safe: any number of callers at the same time, each answer as if it ran alone. At most <see cref="EspalierChatClientOptions.MaximumSequences"/> run; others wait in the order of their arrival.</para>
/// <para>Stateless for the caller: a request brings its whole conversation. A sequence that still holds the beginning of it, the same image file and the same first question, is continued, and only what is new is computed;
/// the answer is the one that a run of the whole conversation gives. In both cases the first question decides which visual tokens stay.</para>
/// <para>An answer that fills the sequence ends with <see cref="ChatFinishReason.Length"/>; a conversation that does not fit at all is a <see cref="PromptTooLongException"/>.
/// A request that cannot be answered is a <see cref="ChatRequestException"/>, an image that cannot be decoded an <see cref="ImageException"/>.</para>
/// <para>The caller owns the model and disposes it after the client, or before: sequences keep it alive.</para>
/// </remarks>
public sealed class EspalierChatClient : IChatClient
{
    /// <summary>The key of the visual tokens that the tower gave, in <see cref="UsageDetails.AdditionalCounts"/>.</summary>
    public const string VisualTokensSeen = "visual_tokens_seen";

    /// <summary>The key of the visual tokens that were left behind the plan's last step, in <see cref="UsageDetails.AdditionalCounts"/>.</summary>
    public const string VisualTokensKept = "visual_tokens_kept";

    private readonly VisionLanguageModel _model;
    private readonly EspalierChatClientOptions _options;
    private readonly SequencePool _pool;
    private readonly ChatClientMetadata _metadata;
    private readonly string _modelId;

    /// <summary>Makes a client.</summary>
    /// <param name="model">The model; the caller owns it.</param>
    /// <param name="options">Limits and defaults; null is the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">The model cannot have sequences of this capacity.</exception>
    public EspalierChatClient(VisionLanguageModel model, EspalierChatClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _options = options ?? new EspalierChatClientOptions();
        _modelId = _options.ModelId ?? model.GetType().Name;
        _metadata = new ChatClientMetadata("espalier", defaultModelId: _modelId);
        int largest = model.LoadedPlan.Geometry.Text.MaxPositions;
        int capacity = _options.Capacity ?? largest;
        int smallest = model.LoadedPlan.ImagePositions + 2;
        if (capacity < smallest || capacity > largest)
        {
            throw new ArgumentOutOfRangeException(nameof(options), capacity, $"A sequence of this model holds {smallest} to {largest} positions.");
        }

        _pool = new SequencePool(model, capacity, _options.MaximumSequences);
    }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var text = new StringBuilder();
        ChatResponseUpdate? last = null;
        await foreach (ChatResponseUpdate update in GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false))
        {
            text.Append(update.Text);
            last = update;
        }

        Debug.Assert(last is { RawRepresentation: AnswerDetails }, "the last update of an answer tells what it took");
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, text.ToString()) { MessageId = last.MessageId, CreatedAt = last.CreatedAt })
        {
            ResponseId = last.ResponseId,
            ModelId = _modelId,
            CreatedAt = last.CreatedAt,
            FinishReason = last.FinishReason,
            Usage = UsageOf((AnswerDetails)last.RawRepresentation),
            RawRepresentation = last.RawRepresentation,
        };
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return StreamAsync(messages, options, cancellationToken);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType.IsInstanceOfType(_model) ? _model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Releases the sequences: idle ones now, the others when their answers end. The model stays the caller's.</summary>
    public void Dispose() => _pool.Dispose();

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        AnswerOptions answer = AnswerOptionsReader.Read(options, _options, _modelId);
        ChatRequest request = ChatRequestReader.Read(messages, options?.Instructions, _options);
        Prompt prompt = Encode(request.Conversation);
        ImageKey key = HashOf(request.Image);
        string id = Guid.NewGuid().ToString("N");
        DateTimeOffset created = DateTimeOffset.UtcNow;
        PooledSequence rented = await _pool.RentAsync(key, prompt, cancellationToken).ConfigureAwait(false);
        try
        {
            bool continued = rented.HoldsConversation;
            RgbImage? image = continued ? null : await DecodeAsync(request.Image, cancellationToken).ConfigureAwait(false);
            IAsyncEnumerator<string> pieces = _model.AnswerAsync(rented.Sequence, prompt, image, answer, cancellationToken).GetAsyncEnumerator(CancellationToken.None);
            await using (pieces.ConfigureAwait(false))
            {
                // Until the prefill is through, it is not certain whose image the sequence holds.
                rented.Image = continued ? key : default;
                bool more = await pieces.MoveNextAsync().ConfigureAwait(false);
                rented.Image = key;
                ChatMetrics.ReportFirstToken(_modelId, Stopwatch.GetElapsedTime(start));
                while (more)
                {
                    yield return Update(new TextContent(pieces.Current));
                    more = await pieces.MoveNextAsync().ConfigureAwait(false);
                }
            }

            var details = new AnswerDetails(rented.Sequence, _model.LoadedPlan, prompt.Prefix.Length + prompt.Suffix.Length + prompt.Continuation.Length, continued);
            ChatMetrics.Report(_modelId, details);
            ChatResponseUpdate last = Update(new UsageContent(UsageOf(details)));
            last.FinishReason = details.Statistics.FinishReason is FinishReason.Stop or FinishReason.StopSequence ? ChatFinishReason.Stop : ChatFinishReason.Length;
            last.RawRepresentation = details;
            yield return last;
        }
        finally
        {
            _pool.Return(rented);
        }

        ChatResponseUpdate Update(AIContent content) => new(ChatRole.Assistant, [content])
        {
            ResponseId = id,
            MessageId = id,
            ModelId = _modelId,
            CreatedAt = created,
        };
    }

    private Prompt Encode(Conversation conversation)
    {
        Prompt prompt = _model.Prompt.BuildConversation(_model.Tokenizer, conversation, _model.LoadedPlan.Geometry.ImageTokenId);
        int tokens = prompt.Prefix.Length + _model.LoadedPlan.ImagePositions + prompt.Suffix.Length + prompt.Continuation.Length;
        return tokens <= _pool.Capacity ? prompt : throw new PromptTooLongException(tokens, _pool.Capacity);
    }

    private ImageKey HashOf(ReadOnlyMemory<byte> image) => image.Length <= _options.ImageLimits.MaximumBytes
        ? ImageKey.Of(image.Span)
        : throw new ImageException(ImageFault.TooLarge, $"the image has {image.Length} bytes; the limit ImageLimits.MaximumBytes is {_options.ImageLimits.MaximumBytes}");

    private Task<RgbImage> DecodeAsync(ReadOnlyMemory<byte> image, CancellationToken cancellationToken) =>
        Task.Run(() => ImageDecoder.Load(image.Span, _options.ImageLimits).Rgb, cancellationToken);

    private static UsageDetails UsageOf(AnswerDetails details) => new()
    {
        InputTokenCount = details.Statistics.PromptTokens,
        OutputTokenCount = details.Statistics.GeneratedTokens,
        TotalTokenCount = details.Statistics.PromptTokens + details.Statistics.GeneratedTokens,
        CachedInputTokenCount = details.Statistics.CachedPromptTokens,
        AdditionalCounts = new AdditionalPropertiesDictionary<long>
        {
            [VisualTokensSeen] = details.VisualTokensSeen,
            [VisualTokensKept] = details.VisualTokensKept,
        },
    };
}

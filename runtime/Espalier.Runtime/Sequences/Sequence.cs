using Espalier.Planning;
using Espalier.Text;

namespace Espalier;

/// <summary>One conversation with a model: its KV cache, its rows and its place in the text.</summary>
/// <remarks>
/// <para>Made by <see cref="VisionLanguageModel.CreateSequence"/> and owned by the caller, who disposes it before or after the model. Reusable: every prefill starts anew, and a prefix that is the same as before is not computed again. Further questions about the same image add to what it holds.</para>
/// <para>Not thread-safe: one call at a time, a second one throws. Different sequences of one model may run at the same time.</para>
/// </remarks>
public sealed class Sequence : IDisposable
{
    private readonly VisionLanguageModel _owner;
    private readonly PrefillMemory _memory;
    private readonly bool _sharesMemory;
    private readonly int[] _text;
    private int[] _prefix = [];
    private bool _prefixCached;
    private int _textLength;
    private int _questionLength;
    private UseGuard _use;

    internal Sequence(VisionLanguageModel owner, ModelSessions sessions, ReductionPlan plan, int capacity, BatchPlace? place = null)
    {
        _owner = owner;
        Capacity = capacity;
        _text = new int[capacity];
        _sharesMemory = place is not null;
        _memory = place?.Prefill ?? new PrefillMemory(sessions, plan);
        try
        {
            Pass = new ForwardPass(sessions, plan, capacity, _memory, place);
        }
        catch
        {
            DisposeMemory();
            throw;
        }

        Sampler = new Sampler(plan.Geometry.Text.Vocabulary, plan.Geometry.ImageTokenId);
    }

    /// <summary>Positions that the sequence has room for: prompt before any reduction in the decoder, and answer. Where the plan counts an image's tokens by what is in it, every image counts with the most that it can take.</summary>
    public int Capacity { get; }

    /// <summary>Position of the next token: positions of the prompt, before any reduction in the decoder, and tokens decoded since.</summary>
    public int Position { get; internal set; }

    /// <summary>Logits after the last prefill or decode step, one a token of the vocabulary. Overwritten by the next step; do not keep the span.</summary>
    public ReadOnlySpan<float> Logits => Pass.Logits;

    /// <summary>What the last answer took.</summary>
    public AnswerStatistics Statistics => Record.PromptTokens > 0 ? Record with { VisualTokens = Pass.SegmentTokens(), SkippedFeedForwards = Pass.SkippedFeedForwards, EvictedTextTokens = Pass.EvictedTextTokens } : Record;

    /// <summary>Bytes of the KV cache.</summary>
    public long KeyValueBytes => Pass.Cache.ByteLength;

    /// <summary>Tells whether the sequence holds the beginning of a conversation: its words before the image and its first question, and then any text. The image is not looked at: the caller knows which one was loaded.</summary>
    /// <param name="prompt">The conversation.</param>
    /// <returns>False also after a cancelled or failed call, and where text rows have left the caches since the conversation went another way.</returns>
    public bool Holds(Prompt prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return HeldTokens(prompt) > 0;
    }

    /// <summary>How many tokens behind the image are those of a conversation; 0 unless <see cref="Holds"/>.</summary>
    internal int HeldTokens(Prompt prompt)
    {
        bool held = _questionLength > 0 && _questionLength == prompt.Suffix.Length && HoldsPrefix(prompt.Prefix) && Text.StartsWith(prompt.Suffix);
        if (!held)
        {
            return 0;
        }

        int common = _questionLength + Text[_questionLength..].CommonPrefixLength(prompt.Continuation);
        return _prefix.Length + Reused(prompt, common) >= Pass.FixedTextTokens ? common : 0;
    }

    /// <summary>How many tokens behind the image are not run again when a conversation goes on that the sequence holds. At least one row runs: its logits are those of the answer. If that is the last row of the first question, it runs again.</summary>
    internal int Reused(Prompt prompt) => Reused(prompt, _questionLength + Text[_questionLength..].CommonPrefixLength(prompt.Continuation));

    private static int Reused(Prompt prompt, int common) => Math.Min(common, prompt.Suffix.Length + prompt.Continuation.Length - 1);

    /// <summary>Ids of the text rows behind the image that the KV cache holds: the first question, answers, further questions.</summary>
    internal ReadOnlySpan<int> Text => _text.AsSpan(0, _textLength);

    /// <summary>The token that was chosen last and has not been run; -1 if there is none, or if it ended the answer.</summary>
    internal int Pending { get; set; } = -1;

    /// <summary><see cref="Statistics"/>, but for what is only counted when it is asked for.</summary>
    internal AnswerStatistics Record { get; set; }

    /// <summary>The first position that has no room: the capacity, less what the image has not taken of the most that it could.</summary>
    internal int Limit => Capacity - _owner.LoadedPlan.ImagePositions + _owner.LoadedPlan.Registers + ImagePositions;

    /// <summary>Positions that the image of the last prefill takes.</summary>
    internal int ImagePositions { get; set; }

    /// <summary>The decode step of the sequence, where a thread of the device runs it.</summary>
    internal Action? Step { get; set; }

    internal ForwardPass Pass { get; }

    internal ImagePass Image => _memory.Image;

    internal Sampler Sampler { get; }

    /// <summary>The visual tokens of the image that survived a step in the last prefill, in the order of their rows, numbered as the tower emits them (row-major patches).
    /// Rows ascend unless a merge came before: a merged token is named after the one that it stands for, the tower's CLS token is -1.</summary>
    /// <param name="step">Index into the plan's steps.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step has not run.</exception>
    public ReadOnlySpan<int> SurvivorsOf(int step) => Pass.Map.Survivors(step);

    /// <summary>Writes the visual tokens of the image that a visual row was made of, ascending and numbered as the tower emits them: one, unless a step merged others into it.</summary>
    /// <param name="row">A visual row behind the last step of the last prefill.</param>
    /// <param name="tokens">Receives the tokens, as many as there is room for; the model's visual tokens are always enough.</param>
    /// <returns>How many they are; 0 for the tower's CLS token.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public int TokensOf(int row, Span<int> tokens) => Pass.Map.TokensOf(row, tokens);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_use.BeginDispose("The sequence is running; cancel the answer and await it before disposing."))
        {
            Pass.Dispose();
            DisposeMemory();
            _owner.Release();
            _use.Leave();
        }
    }

    internal void Enter(VisionLanguageModel model)
    {
        if (!ReferenceEquals(model, _owner))
        {
            throw new ArgumentException("The sequence belongs to another model.", nameof(model));
        }

        _use.Enter(nameof(Sequence), "The sequence is already running; use one sequence a concurrent request.");
    }

    internal void Leave() => _use.Leave();

    /// <summary>True if the KV cache starts with the rows of this prefix.</summary>
    internal bool HoldsPrefix(ReadOnlySpan<int> prefix) => _prefixCached && prefix.SequenceEqual(_prefix);

    /// <summary>Notes that a prefill has put the first question into the cache.</summary>
    internal void BeginText(ReadOnlySpan<int> suffix)
    {
        _textLength = 0;
        AddText(suffix);
        _questionLength = suffix.Length;
    }

    /// <summary>Notes that further text is in the cache.</summary>
    internal void AddText(ReadOnlySpan<int> tokens)
    {
        tokens.CopyTo(_text.AsSpan(_textLength));
        _textLength += tokens.Length;
        Position += tokens.Length;
        Pending = -1;
    }

    /// <summary>Forgets all text behind the first <paramref name="length"/> tokens of it. Logits are those of before until text is added.</summary>
    internal void Rewind(int length)
    {
        int dropped = _textLength - length;
        Pass.Drop(dropped);
        _textLength = length;
        Position -= dropped;
        Pending = -1;
    }

    internal void RememberPrefix(ReadOnlySpan<int> prefix)
    {
        if (_prefix.Length != prefix.Length)
        {
            _prefix = new int[prefix.Length];
        }

        prefix.CopyTo(_prefix);
        _prefixCached = true;
    }

    /// <summary>Forgets all but the prefix: the answer was read, and the next prompt is another.</summary>
    internal void Retire()
    {
        Pass.Retire(_prefixCached ? _prefix.Length : 0);
        ForgetText();
    }

    /// <summary>After a failure or a cancellation: nothing of the cache is trusted.</summary>
    internal void Abandon()
    {
        Pass.Reset();
        _prefixCached = false;
        ForgetText();
    }

    private void ForgetText()
    {
        _textLength = 0;
        _questionLength = 0;
        Pending = -1;
        Position = 0;
    }

    private void DisposeMemory()
    {
        if (!_sharesMemory)
        {
            _memory.Dispose();
        }
    }
}

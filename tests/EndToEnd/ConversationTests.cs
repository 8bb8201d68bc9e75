using Espalier.Tests.Declared;
using Espalier.Text;

namespace Espalier.Tests;

/// <summary>Further turns over the rows that a sequence holds: the same numbers as a run of the whole conversation.</summary>
public sealed class ConversationTests
{
    private const float Tolerance = 1e-4f;

    private static readonly int[] Turn = [7, 21, 3, 40, 11, 5, 30];

    /// <summary>Every class that is declared for the checkpoint of <see cref="TinyModel"/> in single precision, so that a new method is looked at without being named here.</summary>
    internal static readonly Dictionary<string, Func<Checkpoint, VisionLanguageModel>> Variants = typeof(ClipLlamaDense).Assembly.GetTypes()
        .Where(static type => type.IsSubclassOf(typeof(VisionLanguageModel)) && type.Namespace == typeof(ClipLlamaDense).Namespace)
        .Where(static type => type.Name.StartsWith("ClipLlama", StringComparison.Ordinal) && !type.Name.Contains("F16", StringComparison.Ordinal) && !type.Name.Contains("Int8", StringComparison.Ordinal))
        .ToDictionary(static type => type.Name["ClipLlama".Length..], static type => (Func<Checkpoint, VisionLanguageModel>)(checkpoint =>
            (VisionLanguageModel)type.GetMethod("Load", [typeof(Checkpoint), typeof(ModelOptions)])!.Invoke(null, [checkpoint, null])!));

    public static TheoryData<string> All => [.. Variants.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Text that is added runs whole, while these skip feed-forward layers of tokens that are decoded: see <see cref="FfnSkipTests"/>.</summary>
    public static TheoryData<string> DecodedWhole => [.. Variants.Keys.Where(static name => name is not ("FfnSkip" or "FfnSkipTogether" or "SepLlmTogether")).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(DecodedWhole))]
    public void TextThatIsAddedAtOnceIsTextAddedTokenByToken(string variant)
    {
        using var tiny = new TinyModel(Variants[variant]);
        using Sequence single = tiny.CreateSequence(extra: 32);
        using Sequence whole = tiny.CreateSequence(extra: 32);
        tiny.Prefill(single);
        tiny.Prefill(whole);
        foreach (int token in Turn)
        {
            Assert.Equal(StepResult.Ready, tiny.Model.Decode(single, token));
        }

        Assert.Equal(StepResult.Ready, tiny.Model.Extend(whole, Turn));
        AssertClose(single, whole);
        Assert.Equal(single.Position, whole.Position);

        // What was written to the cache is what later rows read.
        tiny.Model.Decode(single, 9);
        tiny.Model.Decode(whole, 9);
        AssertClose(single, whole);
        tiny.Model.Extend(single, [4, 8]);
        tiny.Model.Extend(whole, [4, 8]);
        AssertClose(single, whole);
    }

    // Whatever the question, these keep the same visual tokens; so the whole conversation may stand behind the image at once.
    [Theory]
    [InlineData("Dense")]
    [InlineData("ShortV")]
    [InlineData("Vtw")]
    [InlineData("VisionZip")]
    [InlineData("DivPrune")]
    [InlineData("GPrune")]
    public void AContinuedConversationIsAFreshRunOfAllOfIt(string variant)
    {
        using var tiny = new TinyModel(Variants[variant]);
        using Sequence continued = tiny.CreateSequence(extra: 32);
        using Sequence fresh = tiny.CreateSequence(extra: 32);
        tiny.Prefill(continued);
        tiny.Model.Decode(continued, 12);
        tiny.Model.Decode(continued, 31);
        tiny.Model.Extend(continued, Turn);
        Assert.Equal(StepResult.Ready, tiny.Model.Prefill(fresh, tiny.Prefix, tiny.Pixels, [.. tiny.Suffix, 12, 31, .. Turn]));
        AssertClose(fresh, continued);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task AnAnswerIsTheSameWithTheImageAndOverWhatTheSequenceHolds(string variant)
    {
        using var tiny = new TinyModel(Variants[variant]);
        using Sequence kept = tiny.CreateSequence(extra: 120);
        using Sequence fresh = tiny.CreateSequence(extra: 120);
        Conversation[] conversations =
        [
            new("what is this ?"),
            new("and this ?", [new("what is this ?", "red")]),
            new("where ?", [new("what is this ?", "red"), new("and this ?", "blue circle")]),

            // Another answer than the one before, a shorter conversation, and the same one again.
            new("where ?", [new("what is this ?", "red"), new("and this ?", "green")]),
            new("how many ?", [new("what is this ?", "red")]),
            new("how many ?", [new("what is this ?", "red")]),
            new("what is this ?"),
        ];
        bool first = true;
        foreach (Conversation conversation in conversations)
        {
            Prompt prompt = tiny.Model.Prompt.BuildConversation(tiny.Model.Tokenizer, conversation, tiny.Checkpoint.Geometry.ImageTokenId);
            bool held = kept.Holds(prompt);

            // Where text has left the caches since, the conversation starts anew.
            bool forgets = tiny.Model.LoadedPlan.Eviction is { Neighbours: < 100 };
            Assert.True(forgets ? !(first && held) : held == !first);
            string expected = await Ask(tiny, fresh, prompt, withImage: true);
            string actual = await Ask(tiny, kept, prompt, withImage: !held);
            Assert.Equal(expected, actual);
            AssertClose(fresh, kept);
            Assert.Equal(fresh.Position, kept.Position);
            Assert.Equal(fresh.Statistics.PromptTokens, kept.Statistics.PromptTokens);
            int text = prompt.Prefix.Length + prompt.Suffix.Length + prompt.Continuation.Length;
            int image = kept.Statistics.PromptTokens - text;
            Assert.InRange(image, 1, tiny.Model.LoadedPlan.ImagePositions);
            if (held)
            {
                Assert.InRange(kept.Statistics.CachedPromptTokens, image + prompt.Prefix.Length + prompt.Suffix.Length - 1, kept.Statistics.PromptTokens - 1);
                Assert.Equal(TimeSpan.Zero, kept.Statistics.Vision);
            }

            first = false;
        }
    }

    [Fact]
    public async Task AFurtherQuestionFollowsTheTokensOfTheAnswer()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 80);
        using Sequence byHand = tiny.CreateSequence(extra: 80);
        foreach (int tokens in (int[])[3, 1])
        {
            int[] answer = await Tokens(tiny, tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?", new AnswerOptions { MaxNewTokens = tokens }), sequence);
            await Drain(tiny.Model.AnswerAsync(sequence, "and this ?", new AnswerOptions { MaxNewTokens = 1 }));

            Prompt prompt = tiny.Model.Prompt.Build(tiny.Model.Tokenizer, "what is this ?", tiny.Checkpoint.Geometry.ImageTokenId);
            tiny.Model.Prefill(byHand, prompt.Prefix, tiny.Pixels, prompt.Suffix);
            tiny.Model.Extend(byHand, [.. answer, .. tiny.Model.Prompt.BuildFollowUp(tiny.Model.Tokenizer, "and this ?")]);
            AssertClose(byHand, sequence);
        }
    }

    [Fact]
    public async Task AConversationThatTheSequenceDoesNotHoldIsRefused()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 80);
        Prompt Build(string question) => tiny.Model.Prompt.BuildConversation(tiny.Model.Tokenizer, new Conversation(question), tiny.Checkpoint.Geometry.ImageTokenId);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Ask(tiny, sequence, Build("what is this ?"), withImage: false));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Drain(tiny.Model.AnswerAsync(sequence, "and this ?")));
        await Ask(tiny, sequence, Build("what is this ?"), withImage: true);
        Assert.False(sequence.Holds(Build("what is that ?")));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Ask(tiny, sequence, Build("what is that ?"), withImage: false));
        await Ask(tiny, sequence, Build("what is this ?"), withImage: false);

        // A failed or cancelled call leaves nothing that could be taken for the conversation.
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => tiny.Model.Extend(sequence, Turn, cancelled.Token));
        Assert.False(sequence.Holds(Build("what is this ?")));
        Assert.Throws<InvalidOperationException>(() => tiny.Model.Extend(sequence, Turn));
    }

    [Fact]
    public async Task AConversationThatOutgrowsTheSequenceLeavesItAsItIs()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 30);
        Assert.Equal(StepResult.Ready, tiny.Prefill(sequence));
        int position = sequence.Position;
        Assert.Equal(StepResult.CapacityExhausted, tiny.Model.Extend(sequence, new int[31]));
        PromptTooLongException error = await Assert.ThrowsAsync<PromptTooLongException>(() => Drain(tiny.Model.AnswerAsync(sequence, new string('x', 200))));
        Assert.True(error.PromptTokens > sequence.Capacity);
        Assert.Equal(position, sequence.Position);
        Assert.Equal(StepResult.Ready, tiny.Model.Extend(sequence, new int[30]));
        Assert.Equal(StepResult.CapacityExhausted, tiny.Model.Extend(sequence, [1]));
    }

    [Fact]
    public void AddedTextIsChecked()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence();
        Assert.Throws<InvalidOperationException>(() => tiny.Model.Extend(sequence, Turn));
        List<float[]> expected = tiny.Run(sequence, 0);
        Assert.Throws<ArgumentException>(() => tiny.Model.Extend(sequence, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.Extend(sequence, [3, -1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.Extend(sequence, [3, tiny.Checkpoint.Geometry.ImageTokenId]));
        Assert.Equal(expected[0], sequence.Logits.ToArray());
        Assert.Equal(StepResult.Ready, tiny.Model.Extend(sequence, Turn));
    }

    [Fact]
    public async Task AStopSequenceEndsTheAnswerInFrontOfIt()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 64);
        var options = new AnswerOptions { MaxNewTokens = 12, Temperature = 20f, Seed = 3 };
        string whole = await Drain(tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?", options));
        Assert.True(whole.Length > 6);
        string stop = whole.Substring(3, 2);
        int end = whole.IndexOf(stop, StringComparison.Ordinal);
        string cut = await Drain(tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?", options with { StopSequences = ["never said by anybody", stop] }));
        Assert.Equal(whole[..end], cut);
        Assert.Equal(FinishReason.StopSequence, sequence.Statistics.FinishReason);

        string held = await Drain(tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?", options with { StopSequences = [whole[^1] + "!!!"] }));
        Assert.Equal(whole, held);
        Assert.Equal(FinishReason.MaxNewTokens, sequence.Statistics.FinishReason);
    }

    [Fact]
    public void TheDecodeStepsOfAConversationAllocateNothing()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 400);
        tiny.Prefill(sequence);
        tiny.Model.Extend(sequence, Turn);
        tiny.Model.Extend(sequence, Turn);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
        {
            tiny.Model.Extend(sequence, Turn);
            tiny.Model.Decode(sequence, 9);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static async Task<string> Ask(TinyModel tiny, Sequence sequence, Prompt prompt, bool withImage) =>
        await Drain(tiny.Model.AnswerAsync(sequence, prompt, withImage ? tiny.Image : null, new AnswerOptions { MaxNewTokens = 3 }));

    private static async Task<string> Drain(IAsyncEnumerable<string> pieces)
    {
        string text = "";
        await foreach (string piece in pieces)
        {
            text += piece;
        }

        return text;
    }

    // The tokens of an answer, a stop token left out: those that ran, and the last one, which did not.
    private static async Task<int[]> Tokens(TinyModel tiny, IAsyncEnumerable<string> pieces, Sequence sequence)
    {
        await Drain(pieces);
        int question = tiny.Model.Prompt.Build(tiny.Model.Tokenizer, "what is this ?", tiny.Checkpoint.Geometry.ImageTokenId).Suffix.Length;
        int[] ran = sequence.Text[question..].ToArray();
        return sequence.Pending >= 0 ? [.. ran, sequence.Pending] : ran;
    }

    private static void AssertClose(Sequence expected, Sequence actual)
    {
        float difference = 0f;
        for (int i = 0; i < expected.Logits.Length; i++)
        {
            difference = Math.Max(difference, Math.Abs(expected.Logits[i] - actual.Logits[i]));
        }

        Assert.True(difference <= Tolerance, $"logits differ by {difference}");
    }
}

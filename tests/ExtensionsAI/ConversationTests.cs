using Espalier.Extensions.AI;
using Microsoft.Extensions.AI;

namespace Espalier.Tests;

/// <summary>Longer conversations, the pool behind them, and many callers at once.</summary>
public sealed class ConversationTests(Shapes shapes) : IClassFixture<Shapes>
{
    private static readonly List<ChatMessage>[] Conversations =
    [
        Shapes.Talk("circle", Shapes.Color),
        Shapes.Talk("circle", Shapes.Color, ("red", "what shape is red ?")),
        Shapes.Talk("circle", Shapes.Color, ("red", "what shape is red ?"), ("circle", "is there a red square ?")),
        Shapes.Talk("circle", Shapes.Color, ("blue", "what shape is red ?")),
        Shapes.Talk("pair", Shapes.Color),
        Shapes.Talk("pair", "where is the yellow square ?"),
        Shapes.Talk("pair", "where is the yellow square ?", ("left", "what shape is blue ?")),
        Shapes.Talk("crosses", "how many crosses are there ?"),
    ];

    private static readonly ChatOptions Sampled = new() { Temperature = 8f, TopP = 0.99f, Seed = 11, MaxOutputTokens = 10 };

    public static TheoryData<string> Models => ["dense", "quick", "pyramid"];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task AContinuedConversationIsAnsweredAsAFreshOne(string model)
    {
        using IChatClient kept = Model(model).AsIChatClient();
        ChatResponse first = await kept.GetResponseAsync(Conversations[0], Sampled);
        Assert.False(Shapes.DetailsOf(first).IsContinued);
        for (int i = 1; i <= 3; i++)
        {
            ChatResponse continued = await kept.GetResponseAsync(Conversations[i], Sampled);
            using IChatClient fresh = Model(model).AsIChatClient();
            ChatResponse alone = await fresh.GetResponseAsync(Conversations[i], Sampled);
            Assert.Equal(alone.Text, continued.Text);
            Assert.Equal(alone.Usage!.InputTokenCount, continued.Usage!.InputTokenCount);
            Assert.Equal((false, true), (Shapes.DetailsOf(alone).IsContinued, Shapes.DetailsOf(continued).IsContinued));
            Assert.True(continued.Usage.CachedInputTokenCount >= first.Usage!.InputTokenCount - 1, "the image and the first question are not computed again");
            Assert.Equal(TimeSpan.Zero, Shapes.DetailsOf(continued).Statistics.Vision);
            Assert.Equal(Shapes.DetailsOf(alone).Survivors, Shapes.DetailsOf(continued).Survivors);
        }
    }

    [Fact]
    public async Task TheConversationThatAnAnswerWasGivenInIsFoundAgain()
    {
        using IChatClient client = shapes.Dense.AsIChatClient(new EspalierChatClientOptions { MaximumSequences = 2 });
        List<ChatMessage> messages = Shapes.Talk("circle", Shapes.Color);
        ChatResponse first = await client.GetResponseAsync(messages);
        messages.AddMessages(first);
        messages.Add(new ChatMessage(ChatRole.User, "what shape is red ?"));
        ChatResponse second = await client.GetResponseAsync(messages);

        // All of the first prompt, and the answer's own tokens.
        Assert.True(second.Usage!.CachedInputTokenCount > first.Usage!.InputTokenCount);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task OneSequenceServesAllConversationsInTurns(string model)
    {
        Dictionary<int, string> alone = await AnswerEachAlone(model);
        using IChatClient client = Model(model).AsIChatClient(new EspalierChatClientOptions { MaximumSequences = 1 });
        foreach (int i in (int[])[0, 4, 1, 2, 6, 5, 0, 7, 3, 7, 4])
        {
            Assert.Equal(alone[i], (await client.GetResponseAsync(Conversations[i], Sampled)).Text);
        }
    }

    [Fact]
    public async Task TheSequenceThatRestedLongestIsGivenAway()
    {
        using IChatClient client = shapes.Quick.AsIChatClient(new EspalierChatClientOptions { MaximumSequences = 2 });
        async Task<bool> IsContinued(int i) => Shapes.DetailsOf(await client.GetResponseAsync(Conversations[i])).IsContinued;
        Assert.False(await IsContinued(0));
        Assert.False(await IsContinued(4));
        Assert.True(await IsContinued(0));
        Assert.False(await IsContinued(7));
        Assert.True(await IsContinued(0));
        Assert.False(await IsContinued(4));
    }

    [Fact]
    public async Task TheSameQuestionAboutAnotherImageIsAnotherConversation()
    {
        using IChatClient client = shapes.Dense.AsIChatClient(new EspalierChatClientOptions { MaximumSequences = 1 });
        Assert.Equal("red", (await client.GetResponseAsync(Conversations[0])).Text);
        ChatResponse other = await client.GetResponseAsync(Conversations[4]);
        Assert.False(Shapes.DetailsOf(other).IsContinued);

        // A refused image does not change whose rows the sequence holds.
        ChatMessage broken = new(ChatRole.User, [new DataContent(Shapes.File("circle").AsMemory(0, 200), "image/png"), new TextContent(Shapes.Color)]);
        await Assert.ThrowsAsync<Imaging.ImageException>(() => client.GetResponseAsync([broken]));
        await Assert.ThrowsAsync<Imaging.ImageException>(() => client.GetResponseAsync([broken]));
        ChatResponse again = await client.GetResponseAsync(Conversations[4]);
        Assert.Equal((other.Text, true), (again.Text, Shapes.DetailsOf(again).IsContinued));
    }

    [Theory]
    [InlineData("dense", 3)]
    [InlineData("quick", 2)]
    public async Task ManyCallersGetWhatEachWouldGetAlone(string model, int sequences)
    {
        Dictionary<int, string> alone = await AnswerEachAlone(model);
        using IChatClient client = Model(model).AsIChatClient(new EspalierChatClientOptions { MaximumSequences = sequences });
        var random = new Random(5);
        int[] order = [.. Enumerable.Range(0, 40).Select(_ => random.Next(Conversations.Length))];
        await Task.WhenAll(order.Select(i => Task.Run(async () =>
        {
            using var cancel = new CancellationTokenSource();
            if (i % 4 == 3)
            {
                // Some callers leave in the middle.
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
                {
                    await foreach (ChatResponseUpdate _ in client.GetStreamingResponseAsync(Conversations[i], new ChatOptions { Temperature = 50f, Seed = 1, MaxOutputTokens = 200 }, cancel.Token))
                    {
                        await cancel.CancelAsync();
                    }

                    cancel.Token.ThrowIfCancellationRequested();
                });
            }

            Assert.Equal(alone[i], (await client.GetResponseAsync(Conversations[i], Sampled)).Text);
        })));
    }

    [Fact]
    public async Task WaitingForASequenceCanBeCancelled()
    {
        using IChatClient client = shapes.Quick.AsIChatClient(new EspalierChatClientOptions { MaximumSequences = 1 });
        IAsyncEnumerator<ChatResponseUpdate> running = client.GetStreamingResponseAsync(Conversations[0]).GetAsyncEnumerator();
        Assert.True(await running.MoveNextAsync());
        using var cancel = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetResponseAsync(Conversations[4], cancellationToken: cancel.Token));

        // A caller who stops reading gives its sequence back.
        await running.DisposeAsync();
        Assert.Equal("red", (await client.GetResponseAsync(Conversations[0])).Text);
    }

    [Fact]
    public async Task ADisposedClientFinishesWhatRunsAndTakesNothingNew()
    {
        IChatClient client = shapes.Quick.AsIChatClient(new EspalierChatClientOptions { MaximumSequences = 1 });
        IAsyncEnumerator<ChatResponseUpdate> running = client.GetStreamingResponseAsync(Conversations[0]).GetAsyncEnumerator();
        Assert.True(await running.MoveNextAsync());
        string text = running.Current.Text;
        Task<ChatResponse> waiting = client.GetResponseAsync(Conversations[4]);
        client.Dispose();
        client.Dispose();
        while (await running.MoveNextAsync())
        {
            text += running.Current.Text;
        }

        await running.DisposeAsync();
        Assert.Equal("red", text);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync(Conversations[0]));
    }

    private VisionLanguageModel Model(string name) => name switch
    {
        "quick" => shapes.Quick,
        "pyramid" => shapes.Pyramid,
        _ => shapes.Dense,
    };

    private async Task<Dictionary<int, string>> AnswerEachAlone(string model)
    {
        var answers = new Dictionary<int, string>();
        for (int i = 0; i < Conversations.Length; i++)
        {
            using IChatClient client = Model(model).AsIChatClient(new EspalierChatClientOptions { MaximumSequences = 1 });
            answers[i] = (await client.GetResponseAsync(Conversations[i], Sampled)).Text;
        }

        Assert.True(answers.Values.Distinct().Count() > 3, "the conversations can be told apart");
        return answers;
    }
}

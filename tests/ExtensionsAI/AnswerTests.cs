using System.Diagnostics.Metrics;
using Espalier.Extensions.AI;
using Microsoft.Extensions.AI;

namespace Espalier.Tests;

/// <summary>What one request gets: text, reason, usage, details, metrics.</summary>
public sealed class AnswerTests(Shapes shapes) : IClassFixture<Shapes>
{
    [Fact]
    public async Task AQuestionAboutAnImageIsAnswered()
    {
        using IChatClient client = shapes.Quick.AsIChatClient();
        ChatResponse response = await client.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)]);
        Assert.Equal("red", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal("QuickShapes", response.ModelId);
        Assert.False(string.IsNullOrEmpty(response.ResponseId));

        AnswerDetails details = Shapes.DetailsOf(response);
        UsageDetails usage = response.Usage!;
        Assert.Equal(details.Statistics.PromptTokens, usage.InputTokenCount);
        Assert.Equal(2, usage.OutputTokenCount);
        Assert.Equal(usage.InputTokenCount + 2, usage.TotalTokenCount);
        Assert.Equal(0, usage.CachedInputTokenCount);
        Assert.Equal(144, usage.AdditionalCounts![EspalierChatClient.VisualTokensSeen]);
        Assert.Equal(0, usage.AdditionalCounts![EspalierChatClient.VisualTokensKept]);
        Assert.Equal([72, 0], details.Survivors.Select(static step => step.Count));
        Assert.All(details.Survivors[0], static token => Assert.InRange(token, 0, 143));
        Assert.True(details.SavedFlops > 0);
    }

    [Fact]
    public async Task AStreamIsTheAnswerInPiecesAndThenItsUsage()
    {
        using IChatClient client = shapes.Dense.AsIChatClient();
        List<ChatMessage> messages = Shapes.Talk("pair", "where is the yellow square ?");
        List<ChatResponseUpdate> updates = await client.GetStreamingResponseAsync(messages).ToListAsync();
        ChatResponse whole = await client.GetResponseAsync(messages);
        Assert.Equal(whole.Text, string.Concat(updates.Select(static update => update.Text)));
        Assert.True(updates.Count > 2, "the answer has more than one piece");
        Assert.All(updates, update => Assert.Equal((updates[0].ResponseId, "DenseShapes", ChatRole.Assistant), (update.ResponseId, update.ModelId, update.Role)));
        Assert.All(updates[..^1], static update => Assert.Null(update.FinishReason));
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
        ChatResponse gathered = updates.ToChatResponse();
        Assert.Equal(whole.Text, gathered.Text);
        Assert.Equal(whole.Usage!.TotalTokenCount, gathered.Usage!.TotalTokenCount);
        Assert.Equal(144, gathered.Usage.AdditionalCounts![EspalierChatClient.VisualTokensKept]);
    }

    [Fact]
    public async Task OptionsShapeTheAnswer()
    {
        using IChatClient client = shapes.Dense.AsIChatClient();
        List<ChatMessage> messages = Shapes.Talk("pair", "where is the yellow square ?");
        string whole = (await client.GetResponseAsync(messages)).Text;
        ChatResponse one = await client.GetResponseAsync(messages, new ChatOptions { MaxOutputTokens = 1 });
        Assert.Equal((1, ChatFinishReason.Length), ((int)one.Usage!.OutputTokenCount!, one.FinishReason));
        Assert.StartsWith(one.Text, whole, StringComparison.Ordinal);

        ChatResponse stopped = await client.GetResponseAsync(messages, new ChatOptions { StopSequences = [whole[2..4]] });
        Assert.Equal((whole[..2], ChatFinishReason.Stop), (stopped.Text, stopped.FinishReason));

        async Task<string> Sample(long seed) => (await client.GetResponseAsync(messages, new ChatOptions { Temperature = 30f, TopP = 0.99f, Seed = seed, MaxOutputTokens = 12 })).Text;
        string first = await Sample(1);
        Assert.Equal(first, await Sample(1));
        Assert.NotEqual(first, await Sample(2));
        ChatOptions unseeded = new() { Temperature = 30f, MaxOutputTokens = 20 };
        Assert.NotEqual((await client.GetResponseAsync(messages, unseeded)).Text, (await client.GetResponseAsync(messages, unseeded)).Text);
        Assert.Equal(whole, (await client.GetResponseAsync(messages, new ChatOptions { ModelId = "DenseShapes", FrequencyPenalty = 0, ResponseFormat = ChatResponseFormat.Text })).Text);
    }

    [Fact]
    public async Task SystemWordsComeFirst()
    {
        using IChatClient client = shapes.Dense.AsIChatClient();
        ChatResponse plain = await client.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)]);
        ChatMessage system = new(ChatRole.System, "is the red");
        ChatResponse message = await client.GetResponseAsync([system, Shapes.Ask("circle", Shapes.Color)]);
        ChatResponse instructions = await client.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)], new ChatOptions { Instructions = "is the red" });
        Assert.True(message.Usage!.InputTokenCount > plain.Usage!.InputTokenCount);
        Assert.Equal(message.Usage!.InputTokenCount, instructions.Usage!.InputTokenCount);
    }

    [Fact]
    public async Task AFullSequenceEndsTheAnswerAndALongPromptIsRefused()
    {
        using IChatClient probe = shapes.Dense.AsIChatClient();
        int prompt = (int)(await probe.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)])).Usage!.InputTokenCount!;
        using IChatClient tight = shapes.Dense.AsIChatClient(new EspalierChatClientOptions { Capacity = prompt + 2 });
        ChatResponse cut = await tight.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)], new ChatOptions { Temperature = 50f, Seed = 4 });
        Assert.Equal(ChatFinishReason.Length, cut.FinishReason);
        Assert.Equal(FinishReason.CapacityExhausted, Shapes.DetailsOf(cut).Statistics.FinishReason);
        PromptTooLongException error = await Assert.ThrowsAsync<PromptTooLongException>(() => tight.GetResponseAsync([Shapes.Ask("circle", Shapes.Color + Shapes.Color)]));
        Assert.Equal(prompt + 2, error.Capacity);
        Assert.Equal("red", (await tight.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)])).Text);
    }

    [Fact]
    public async Task AnswersAreMeasured()
    {
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, it) =>
        {
            if (instrument.Meter.Name == ChatMetrics.MeterName)
            {
                it.EnableMeasurementEvents(instrument);
            }
        };
        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (Equals(tags[0].Value, "measured"))
            {
                lock (seen)
                {
                    seen[instrument.Name] = seen.GetValueOrDefault(instrument.Name) + value;
                }
            }
        }

        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
        using IChatClient client = shapes.Quick.AsIChatClient(new EspalierChatClientOptions { ModelId = "measured" });
        await client.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)]);
        await client.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)]);
        Assert.Equal((2, 1, 144, 0, 4), (seen["espalier.answers"], seen["espalier.answers.continued"], seen["espalier.visual_tokens.seen"], seen["espalier.visual_tokens.kept"], seen["espalier.tokens.generated"]));
        Assert.True(seen["espalier.time_to_first_token"] > 0 && seen["espalier.decode.speed"] > 0 && seen["espalier.prefill.saved"] > 0);
    }
}

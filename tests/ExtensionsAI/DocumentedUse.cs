using Espalier.Extensions.AI;
using Espalier.Samples.Shapes.Variants;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Espalier.Tests;

/// <summary>What generator/docs/chat-client.md shows, run.</summary>
public sealed class DocumentedUse
{
    private static readonly string Folder = Shapes.Folder;
    private static readonly string Image = RepositoryFolder.Combine("samples", "images", "pair.png");

    [Fact]
    public async Task Ask()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Folder);
        using QuickShapes model = QuickShapes.Load(checkpoint);
        using IChatClient client = model.AsIChatClient(new EspalierChatClientOptions { MaximumSequences = 2 });

        List<ChatMessage> messages =
        [
            new(ChatRole.User, [await DataContent.LoadFromAsync(Image), new TextContent("where is the yellow square ?")]),
        ];
        ChatResponse response = await client.GetResponseAsync(messages);
        Console.WriteLine(response.Text);

        Assert.Equal("bottom right", response.Text);

        UsageDetails usage = response.Usage!;
        Console.WriteLine($"{usage.InputTokenCount} tokens, {usage.CachedInputTokenCount} of them from before");
        Console.WriteLine($"visual tokens {usage.AdditionalCounts![EspalierChatClient.VisualTokensSeen]} -> {usage.AdditionalCounts[EspalierChatClient.VisualTokensKept]}");

        var details = (AnswerDetails)response.RawRepresentation!;
        Console.WriteLine($"behind the first step {details.Survivors[0].Count} are left, prefill took {details.Statistics.Prefill.TotalMilliseconds} ms");

        Assert.Equal((144L, 0L, 72), (usage.AdditionalCounts[EspalierChatClient.VisualTokensSeen], usage.AdditionalCounts[EspalierChatClient.VisualTokensKept], details.Survivors[0].Count));

        messages.AddMessages(response);
        messages.Add(new ChatMessage(ChatRole.User, "what shape is blue ?"));
        ChatResponse second = await client.GetResponseAsync(messages);

        Assert.True(second.Usage!.CachedInputTokenCount > usage.InputTokenCount);
    }

    [Fact]
    public async Task Stream()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Folder);
        using QuickShapes model = QuickShapes.Load(checkpoint);
        using IChatClient client = model.AsIChatClient();
        ChatMessage question = new(ChatRole.User, [await DataContent.LoadFromAsync(Image), new TextContent("where is the yellow square ?")]);
        var written = new StringWriter();
        TextWriter console = Console.Out;
        Console.SetOut(written);
        try
        {
            var options = new ChatOptions { Temperature = 0.2f, TopP = 0.9f, Seed = 7, MaxOutputTokens = 20, StopSequences = ["\n"] };
            await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync([question], options))
            {
                Console.Write(update.Text);
            }
        }
        finally
        {
            Console.SetOut(console);
        }

        Assert.NotEmpty(written.ToString());
    }

    [Fact]
    public async Task Register()
    {
        var services = new ServiceCollection();

        services.AddEspalierCheckpoint(Folder);
        services.AddEspalierChatClient(QuickShapes.Load);
        services.AddKeyedEspalierChatClient("dense", DenseShapes.Load);

        await using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Equal("QuickShapes", provider.GetRequiredService<IChatClient>().GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Equal("DenseShapes", provider.GetRequiredKeyedService<IChatClient>("dense").GetService<ChatClientMetadata>()!.DefaultModelId);
    }

    [Fact]
    public async Task Measure()
    {
        var collected = new Dictionary<string, double>();
        using var exporter = new Collecting(collected);

        using MeterProvider telemetry = Sdk.CreateMeterProviderBuilder()
            .AddMeter(ChatMetrics.MeterName)
            .AddReader(new BaseExportingMetricReader(exporter))
            .Build();

        using Checkpoint checkpoint = Checkpoint.Open(Folder);
        using QuickShapes model = QuickShapes.Load(checkpoint);
        using IChatClient client = model.AsIChatClient(new EspalierChatClientOptions { ModelId = nameof(Measure) });
        List<ChatMessage> messages = [Shapes.Ask("pair", "where is the yellow square ?")];
        messages.AddMessages(await client.GetResponseAsync(messages));
        messages.Add(new ChatMessage(ChatRole.User, "what shape is blue ?"));
        await client.GetResponseAsync(messages);

        Assert.True(telemetry.ForceFlush());
        Assert.Equal((2, 1, 144, 0), (collected["espalier.answers"], collected["espalier.answers.continued"], collected["espalier.visual_tokens.seen"], collected["espalier.visual_tokens.kept"]));
        Assert.Equal(2, collected["espalier.time_to_first_token"]);
        Assert.InRange(collected["espalier.prefill.saved"], 1e8, 1e10);
    }

    [Fact]
    public async Task Refuse()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Folder);
        using QuickShapes model = QuickShapes.Load(checkpoint);
        using IChatClient client = model.AsIChatClient();
        List<ChatMessage> messages = [new(ChatRole.User, [new UriContent("https://example.org/cat.png", "image/png"), new TextContent("what is this ?")])];
        string told = "";

        try
        {
            await client.GetResponseAsync(messages);
        }
        catch (ChatRequestException problem) when (problem.Fault == ChatRequestFault.ImageNotData)
        {
            told = problem.Message;
        }

        Assert.Contains("Nothing is downloaded", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutTheAbstractions()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Folder);
        using QuickShapes model = QuickShapes.Load(checkpoint);
        using Sequence sequence = model.CreateSequence(512);
        Imaging.DecodedImage image = Imaging.ImageDecoder.Load(Image);

        await foreach (string text in model.AnswerAsync(sequence, image, "where is the yellow square ?"))
        {
            Console.Write(text);
        }

        await foreach (string text in model.AnswerAsync(sequence, "what shape is blue ?"))
        {
            Console.Write(text);
        }

        Assert.True(sequence.Statistics.CachedPromptTokens > 144);
    }

    /// <summary>Keeps the sums of counters and the counts of histograms of this test's model: others run at the same time.</summary>
    private sealed class Collecting(Dictionary<string, double> collected) : BaseExporter<Metric>
    {
        public override ExportResult Export(in Batch<Metric> batch)
        {
            foreach (Metric metric in batch)
            {
                foreach (ref readonly MetricPoint point in metric.GetMetricPoints())
                {
                    foreach (KeyValuePair<string, object?> tag in point.Tags)
                    {
                        if (tag is { Key: "model", Value: nameof(Measure) })
                        {
                            collected[metric.Name] = collected.GetValueOrDefault(metric.Name) + metric.MetricType switch
                            {
                                MetricType.LongSum => point.GetSumLong(),
                                MetricType.DoubleSum => point.GetSumDouble(),
                                _ => point.GetHistogramCount(),
                            };
                        }
                    }
                }
            }

            return ExportResult.Success;
        }
    }
}

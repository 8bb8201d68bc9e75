using Espalier.Extensions.AI;
using Espalier.Samples.Shapes.Variants;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Espalier.Tests;

/// <summary>Registration, and the seams that the pipelines of Microsoft.Extensions.AI hold on to.</summary>
public sealed class ServiceTests(Shapes shapes) : IClassFixture<Shapes>
{
    [Fact]
    public async Task AContainerMakesModelAndClientAndDisposesThem()
    {
        DenseShapes model;
        IChatClient client;
        ServiceProvider provider = new ServiceCollection()
            .AddEspalierCheckpoint(Shapes.Folder)
            .AddEspalierChatClient(DenseShapes.Load, new EspalierChatClientOptions { MaximumSequences = 1 })
            .BuildServiceProvider();
        await using (provider)
        {
            client = provider.GetRequiredService<IChatClient>();
            Assert.Same(client, provider.GetRequiredService<IChatClient>());
            model = provider.GetRequiredService<DenseShapes>();
            Assert.Same(model, client.GetService<DenseShapes>());
            Assert.Equal("red", (await client.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)])).Text);
        }

        Assert.Throws<ObjectDisposedException>(() => model.CreateSequence(200));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)]));
    }

    [Fact]
    public async Task VariantsLiveBesideEachOtherUnderKeys()
    {
        await using ServiceProvider provider = new ServiceCollection()
            .AddEspalierCheckpoint(Shapes.Folder)
            .AddKeyedEspalierChatClient("dense", DenseShapes.Load)
            .AddKeyedEspalierChatClient("quick", QuickShapes.Load, new EspalierChatClientOptions { ModelId = "quick" })
            .BuildServiceProvider();
        Assert.Equal("DenseShapes", provider.GetRequiredKeyedService<IChatClient>("dense").GetService<ChatClientMetadata>()!.DefaultModelId);
        IChatClient quick = provider.GetRequiredKeyedService<IChatClient>("quick");
        Assert.Equal("quick", (await quick.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)])).ModelId);
        Assert.Null(provider.GetService<IChatClient>());
    }

    [Fact]
    public void AMissingCheckpointIsATypedErrorWhenItIsNeeded()
    {
        using ServiceProvider provider = new ServiceCollection()
            .AddEspalierCheckpoint("no such folder")
            .AddEspalierChatClient(DenseShapes.Load)
            .BuildServiceProvider();
        CheckpointException error = Assert.ThrowsAny<CheckpointException>(() => provider.GetRequiredService<IChatClient>());
        Assert.Contains("no such folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADelegatingClientSeesWhatTelemetryReads()
    {
        using IChatClient client = new Watching(shapes.Quick.AsIChatClient());
        ChatClientMetadata metadata = client.GetService<ChatClientMetadata>()!;
        Assert.Equal(("espalier", "QuickShapes"), (metadata.ProviderName, metadata.DefaultModelId));
        Assert.NotNull(client.GetService<EspalierChatClient>());
        Assert.Null(client.GetService<EspalierChatClient>("key"));
        ChatResponse response = await client.GetResponseAsync([Shapes.Ask("circle", Shapes.Color)]);
        ChatResponse seen = ((Watching)client).Seen!;
        Assert.Same(response, seen);
        Assert.NotNull(seen.ModelId);
        Assert.NotNull(seen.FinishReason);
        Assert.NotNull(seen.Usage!.InputTokenCount);
    }

    private sealed class Watching(IChatClient inner) : DelegatingChatClient(inner)
    {
        public ChatResponse? Seen { get; private set; }

        public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Seen = await base.GetResponseAsync(messages, options, cancellationToken);
    }
}

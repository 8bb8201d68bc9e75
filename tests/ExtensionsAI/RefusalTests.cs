using Espalier.Extensions.AI;
using Espalier.Imaging;
using Microsoft.Extensions.AI;

namespace Espalier.Tests;

/// <summary>Requests that cannot be answered: each has its own fault and a sentence that says what to do.</summary>
public sealed class RefusalTests(Shapes shapes) : IClassFixture<Shapes>
{
    private static readonly ChatMessage Good = Shapes.Ask("circle", Shapes.Color);

    private static readonly Dictionary<string, (ChatRequestFault Fault, string Says, List<ChatMessage> Messages)> Conversations = new()
    {
        ["nothing"] = (ChatRequestFault.InvalidConversation, "no message of the user", []),
        ["null"] = (ChatRequestFault.InvalidConversation, "null", [null!]),
        ["only a system message"] = (ChatRequestFault.InvalidConversation, "no message of the user", [new(ChatRole.System, "x")]),
        ["an answer first"] = (ChatRequestFault.InvalidConversation, "begins with the assistant", [new(ChatRole.Assistant, "x"), Good]),
        ["an answer last"] = (ChatRequestFault.InvalidConversation, "The last message is the assistant's", [Good, new(ChatRole.Assistant, "x")]),
        ["a system message in the middle"] = (ChatRequestFault.InvalidConversation, "Put it first", [Good, new(ChatRole.System, "x")]),
        ["a tool"] = (ChatRequestFault.InvalidConversation, "\"tool\"", [Good, new(ChatRole.Tool, "x")]),
        ["a long role"] = (ChatRequestFault.InvalidConversation, new string('r', 64) + "...", [Good, new(new ChatRole(new string('r', 9000)), "x")]),
        ["no image"] = (ChatRequestFault.NoImage, "DataContent", [new(ChatRole.User, "x")]),
        ["two images"] = (ChatRequestFault.SeveralImages, "more than one", [new(ChatRole.User, [Shapes.Image("circle"), Shapes.Image("pair"), new TextContent("x")])]),
        ["two images in two messages"] = (ChatRequestFault.SeveralImages, "more than one", [new(ChatRole.User, [Shapes.Image("circle")]), Good]),
        ["a later image"] = (ChatRequestFault.ImageNotFirst, "first message", [new(ChatRole.User, "x"), new(ChatRole.Assistant, "x"), Good]),
        ["a second image later"] = (ChatRequestFault.ImageNotFirst, "new conversation", [Good, new(ChatRole.Assistant, "x"), Good]),
        ["an address"] = (ChatRequestFault.ImageNotData, "https://example.org/cat.png", [new(ChatRole.User, [new UriContent("https://example.org/cat.png", "image/png"), new TextContent("x")])]),
        ["a sound"] = (ChatRequestFault.UnsupportedContent, "audio/wav", [new(ChatRole.User, [new DataContent(new byte[3], "audio/wav"), new TextContent("x")])]),
        ["a call"] = (ChatRequestFault.UnsupportedContent, "FunctionCallContent", [new(ChatRole.User, [new FunctionCallContent("1", "f")])]),
        ["an image of the assistant's"] = (ChatRequestFault.UnsupportedContent, "DataContent", [Good, new(ChatRole.Assistant, [Shapes.Image("circle")])]),
        ["an image of the system's"] = (ChatRequestFault.UnsupportedContent, "DataContent", [new(ChatRole.System, [Shapes.Image("circle")]), Good]),
        ["no question"] = (ChatRequestFault.NoText, "in words", [new(ChatRole.User, [Shapes.Image("circle")])]),
        ["an empty question"] = (ChatRequestFault.NoText, "in words", [new(ChatRole.User, [Shapes.Image("circle"), new TextContent("")])]),
        ["a long question"] = (ChatRequestFault.TooLong, "65536", [Shapes.Ask("circle", new string('x', 65_537))]),
        ["a long conversation"] = (ChatRequestFault.TooLong, "65536", [Good, new(ChatRole.Assistant, new string('x', 40_000)), new(ChatRole.User, new string('x', 40_000))]),
        ["many messages"] = (ChatRequestFault.TooLong, "256", [Good, .. Enumerable.Repeat(new ChatMessage(ChatRole.User, ""), 256)]),
    };

    private static readonly Dictionary<string, (ChatRequestFault Fault, ChatOptions Options)> Options = new()
    {
        ["Temperature"] = (ChatRequestFault.InvalidOption, new() { Temperature = -1 }),
        ["Temperature "] = (ChatRequestFault.InvalidOption, new() { Temperature = float.NaN }),
        ["TopP"] = (ChatRequestFault.InvalidOption, new() { TopP = 0 }),
        ["TopP "] = (ChatRequestFault.InvalidOption, new() { TopP = 1.5f }),
        ["least one token"] = (ChatRequestFault.InvalidOption, new() { MaxOutputTokens = 0 }),
        ["at most 100 are given"] = (ChatRequestFault.InvalidOption, new() { MaxOutputTokens = 101 }),
        ["stop sequence"] = (ChatRequestFault.InvalidOption, new() { StopSequences = [""] }),
        ["stop sequences"] = (ChatRequestFault.InvalidOption, new() { StopSequences = [.. Enumerable.Repeat("x", 17)] }),
        ["TopK"] = (ChatRequestFault.UnsupportedOption, new() { TopK = 5 }),
        ["FrequencyPenalty"] = (ChatRequestFault.UnsupportedOption, new() { FrequencyPenalty = 1 }),
        ["PresencePenalty"] = (ChatRequestFault.UnsupportedOption, new() { PresencePenalty = 1 }),
        ["Tools"] = (ChatRequestFault.UnsupportedOption, new() { Tools = [AIFunctionFactory.Create(static () => 1, "f")] }),
        ["ResponseFormat"] = (ChatRequestFault.UnsupportedOption, new() { ResponseFormat = ChatResponseFormat.Json }),
        ["ConversationId"] = (ChatRequestFault.UnsupportedOption, new() { ConversationId = "x" }),
        ["DenseShapes"] = (ChatRequestFault.UnknownModel, new() { ModelId = "gpt" }),
    };

    public static TheoryData<string> BadConversations => [.. Conversations.Keys];

    public static TheoryData<string> BadOptions => [.. Options.Keys];

    [Theory]
    [MemberData(nameof(BadConversations))]
    public async Task AConversationThatIsNoneIsRefused(string name)
    {
        (ChatRequestFault fault, string says, List<ChatMessage> messages) = Conversations[name];
        using IChatClient client = shapes.Dense.AsIChatClient();
        ChatRequestException error = await Assert.ThrowsAsync<ChatRequestException>(() => client.GetResponseAsync(messages));
        Assert.Equal(fault, error.Fault);
        Assert.Null(error.Option);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 20, 300);
    }

    [Theory]
    [MemberData(nameof(BadOptions))]
    public async Task AnOptionThatCannotBeHonouredIsRefused(string says)
    {
        (ChatRequestFault fault, ChatOptions options) = Options[says];
        using IChatClient client = shapes.Dense.AsIChatClient(new EspalierChatClientOptions { MaximumOutputTokens = 100 });
        ChatRequestException error = await Assert.ThrowsAsync<ChatRequestException>(() => client.GetResponseAsync([Good], options));
        Assert.Equal(fault, error.Fault);
        Assert.Contains(says.Trim(), error.Message, StringComparison.OrdinalIgnoreCase);

        // The option by the name that the caller wrote, and nothing of how .NET tells of arguments.
        Assert.NotNull(typeof(ChatOptions).GetProperty(error.Option!)!.GetValue(options));
        Assert.True(fault == ChatRequestFault.UnknownModel || error.Message.StartsWith("The option " + error.Option, StringComparison.Ordinal), error.Message);
        Assert.DoesNotContain("(Parameter", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal("red", (await client.GetResponseAsync([Good], new ChatOptions { MaxOutputTokens = 100 })).Text);
    }

    [Fact]
    public async Task MessagesInARowAreOneTurn()
    {
        using IChatClient client = shapes.Dense.AsIChatClient();
        ChatResponse apart = await client.GetResponseAsync([new(ChatRole.User, [Shapes.Image("circle")]), new(ChatRole.User, Shapes.Color)]);
        ChatResponse together = await client.GetResponseAsync([new(ChatRole.User, [new TextContent(Shapes.Color), Shapes.Image("circle")])]);
        Assert.Equal((together.Text, together.Usage!.InputTokenCount), (apart.Text, apart.Usage!.InputTokenCount));
    }

    [Fact]
    public async Task ImagesThatCannotBeDecodedAreRefused()
    {
        var limits = new ImageLimits { MaximumBytes = 4000, MaximumPixels = 1000 };
        using IChatClient client = shapes.Dense.AsIChatClient();
        using IChatClient strict = shapes.Dense.AsIChatClient(new EspalierChatClientOptions { ImageLimits = limits });
        async Task<ImageFault> Fault(IChatClient asked, byte[] bytes)
        {
            ChatMessage message = new(ChatRole.User, [new DataContent(bytes, "image/png"), new TextContent(Shapes.Color)]);
            return (await Assert.ThrowsAsync<ImageException>(() => asked.GetResponseAsync([message]))).Fault;
        }

        byte[] circle = Shapes.File("circle");
        Assert.Equal(ImageFault.UnsupportedFormat, await Fault(client, []));
        Assert.Equal(ImageFault.UnsupportedFormat, await Fault(client, "<svg/>"u8.ToArray()));
        Assert.Equal(ImageFault.Corrupt, await Fault(client, circle[..^40]));
        Assert.Equal(ImageFault.TooLarge, await Fault(strict, new byte[4001]));
        Assert.Equal(ImageFault.TooLarge, await Fault(strict, circle));
        Assert.Equal("red", (await client.GetResponseAsync([Good])).Text);
    }

    [Fact]
    public void LimitsAreChecked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new EspalierChatClientOptions { MaximumSequences = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EspalierChatClientOptions { Capacity = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EspalierChatClientOptions { MaximumTextLength = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EspalierChatClientOptions { MaximumOutputTokens = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => shapes.Dense.AsIChatClient(new EspalierChatClientOptions { Capacity = 513 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => shapes.Dense.AsIChatClient(new EspalierChatClientOptions { Capacity = 145 }));
        Assert.Throws<ArgumentNullException>(() => new EspalierChatClient(null!));
        using IChatClient client = shapes.Dense.AsIChatClient();
        Assert.Throws<ArgumentNullException>(() => { _ = client.GetStreamingResponseAsync((IEnumerable<ChatMessage>)null!); });
    }
}

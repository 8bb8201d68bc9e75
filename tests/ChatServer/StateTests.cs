using System.Net;
using System.Text;
using Espalier.Samples.ChatServer.Api;
using Espalier.Samples.ChatServer.Errors;
using Espalier.Samples.ChatServer.Models;
using Espalier.Samples.ChatServer.Settings;
using Espalier.Samples.Shapes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Espalier.Tests;

/// <summary>Before it is ready, while it stops, and when it fails in the middle.</summary>
public sealed class StateTests
{
    [Fact]
    public async Task AStoppingServerSaysSoAndTakesNothingNew()
    {
        await using RunningServer server = await RunningServer.StartAsync("--variants", "quick");
        server.BeginStop();
        HttpResponseMessage ready = await server.Client.GetAsync("/health/ready");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"status":"stopping"}"""), (ready.StatusCode, await ready.Content.ReadAsStringAsync()));
        HttpResponseMessage refused = await server.PostAsync(RunningServer.Question());
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not_ready"), (refused.StatusCode, (await RunningServer.ErrorAsync(refused)).Code));
        Assert.NotNull(refused.Headers.RetryAfter);
    }

    [Fact]
    public void AModelThatIsNotLoadedYetIsNoUnknownModel()
    {
        using var models = new ServedModels(ServerSettings.Read(new ConfigurationBuilder().Build()));
        ApiException error = Assert.Throws<ApiException>(() => models.Named("quick"));
        Assert.Equal((503, "not_ready", (int?)1), (error.Status, error.Code, error.RetryAfter));
    }

    [Fact]
    public async Task AFailureInTheMiddleOfAStreamIsAnEventAndNoEnd()
    {
        using ServiceProvider services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Response.Body = body;
        await using IAsyncEnumerator<ChatResponseUpdate> updates = Failing().GetAsyncEnumerator();
        await updates.MoveNextAsync();
        await new AnswerWriter(context, new ServedModel(Variant.Dense, null!), new CompletionRequest()).StreamAsync(updates);
        string[] events = Encoding.UTF8.GetString(body.ToArray()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, events.Length);
        Assert.Contains("\"content\":\"half\"", events[0], StringComparison.Ordinal);
        Assert.Contains("\"code\":\"internal_error\"", events[1], StringComparison.Ordinal);
        Assert.DoesNotContain("a secret of the server", events[1], StringComparison.Ordinal);
    }

    private static async IAsyncEnumerable<ChatResponseUpdate> Failing()
    {
        yield return new ChatResponseUpdate(ChatRole.Assistant, "half");
        await Task.Yield();
        throw new InvalidOperationException("a secret of the server");
    }
}

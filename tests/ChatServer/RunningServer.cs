using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Espalier.Samples.ChatServer.Hosting;
using Microsoft.AspNetCore.Builder;

namespace Espalier.Tests;

/// <summary>The server on a free port of this machine, with real sockets.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RunningServer(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.Single());

        // Who disposes a response leaves; the default reads on for two seconds, to use the connection again.
        Client = new HttpClient(new SocketsHttpHandler { MaxResponseDrainSize = 0 }) { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(2) };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    /// <summary>Starts a server and waits until it is ready.</summary>
    public static async Task<RunningServer> StartAsync(params string[] arguments)
    {
        WebApplication app = ChatServerApp.Create(["--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default=Warning", .. arguments]);
        await app.StartAsync();
        var server = new RunningServer(app);
        await server.UntilAsync(async () => (await server.Client.GetAsync("/health/ready")).IsSuccessStatusCode, "the models are loaded");
        return server;
    }

    /// <summary>A question about a picture of samples/images, as OpenAI's clients write it.</summary>
    public static JsonObject Question(string model = "quick", string image = "circle", string text = "what color is the circle ?") => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(new JsonObject
        {
            ["role"] = "user",
            ["content"] = new JsonArray(
                new JsonObject { ["type"] = "image_url", ["image_url"] = new JsonObject { ["url"] = DataUrl(image) } },
                new JsonObject { ["type"] = "text", ["text"] = text }),
        }),
    };

    public static string DataUrl(string image) =>
        "data:image/png;base64," + Convert.ToBase64String(File.ReadAllBytes(RepositoryFolder.Combine("samples", "images", image + ".png")));

    /// <summary>A question whose answer takes long: sampled, with a seed that does not stop early.</summary>
    public async Task<JsonObject> LongQuestionAsync()
    {
        for (int seed = 1; ; seed++)
        {
            JsonObject question = Question("dense");
            question["temperature"] = 40;
            question["seed"] = seed;
            question["max_tokens"] = 256;
            JsonNode answer = await JsonAsync(await PostAsync(question));
            if ((int)answer["usage"]!["completion_tokens"]! == 256)
            {
                return question;
            }
        }
    }

    public Task<HttpResponseMessage> PostAsync(JsonNode body, CancellationToken cancellationToken = default) => Client.PostAsync("/v1/chat/completions", JsonContent.Create(body), cancellationToken);

    public Task<HttpResponseMessage> PostAsync(string body, string type = "application/json") => Client.PostAsync("/v1/chat/completions", new StringContent(body, Encoding.UTF8, type));

    /// <summary>Posts a question and returns once the headers are there.</summary>
    public Task<HttpResponseMessage> StreamAsync(JsonObject question, CancellationToken cancellationToken = default)
    {
        question = (JsonObject)question.DeepClone();
        question["stream"] = true;
        return Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create((JsonNode)question) }, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    public static async Task<JsonNode> JsonAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        return JsonNode.Parse(await response.Content.ReadAsStreamAsync())!;
    }

    /// <summary>The error of a response; the test fails if its shape is not OpenAI's.</summary>
    public static async Task<(string Code, string Message, string? Param)> ErrorAsync(HttpResponseMessage response)
    {
        JsonObject error = (await JsonAsync(response))["error"]!.AsObject();
        Assert.Equal(["message", "type", "param", "code"], error.Select(static field => field.Key));
        Assert.NotEmpty((string)error["type"]!);
        return ((string)error["code"]!, (string)error["message"]!, (string?)error["param"]);
    }

    /// <summary>A line of /metrics, 0 if it is not there.</summary>
    public async Task<double> MetricAsync(string series)
    {
        foreach (string line in (await Client.GetStringAsync("/metrics")).Split('\n'))
        {
            if (line.StartsWith(series + " ", StringComparison.Ordinal))
            {
                return double.Parse(line[series.Length..], System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }

    public async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        for (int i = 0; !await condition(); i++)
        {
            Assert.True(i < 1500, "not within 30 s: " + what);
            await Task.Delay(20);
        }
    }

    /// <summary>Tells the server to stop, as SIGTERM does, and leaves its sockets open.</summary>
    public void BeginStop() => _app.Lifetime.StopApplication();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>One server for the tests of a class.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    internal RunningServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await RunningServer.StartAsync("--variants", "dense,quick,visionzip,pyramiddrop,similarity");

    public async Task DisposeAsync() => await Server.DisposeAsync();
}

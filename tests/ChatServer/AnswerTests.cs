using System.Net;
using System.Text.Json.Nodes;

namespace Espalier.Tests;

/// <summary>Answers, whole and streamed, and what the other endpoints say.</summary>
public sealed class AnswerTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private RunningServer Server => fixture.Server;

    [Fact]
    public async Task AQuestionIsAnsweredInOpenAisShape()
    {
        JsonNode answer = await RunningServer.JsonAsync(await Server.PostAsync(RunningServer.Question()));
        Assert.StartsWith("chatcmpl-", (string)answer["id"]!, StringComparison.Ordinal);
        Assert.Equal(("chat.completion", "quick"), ((string)answer["object"]!, (string)answer["model"]!));
        JsonNode choice = Assert.Single(answer["choices"]!.AsArray())!;
        Assert.Equal(("assistant", "red", "stop"), ((string)choice["message"]!["role"]!, (string)choice["message"]!["content"]!, (string)choice["finish_reason"]!));
        JsonNode usage = answer["usage"]!;
        Assert.Equal((int)usage["total_tokens"]!, (int)usage["prompt_tokens"]! + (int)usage["completion_tokens"]!);
        Assert.Equal((144, 0), ((int)usage["prompt_tokens_details"]!["visual_tokens_seen"]!, (int)usage["prompt_tokens_details"]!["visual_tokens_kept"]!));
        Assert.Null(answer["visual_tokens"]);
    }

    [Fact]
    public async Task AConversationIsContinuedOverItsImage()
    {
        JsonObject question = RunningServer.Question("dense", "squares", "is there a red square ?");
        JsonNode first = await RunningServer.JsonAsync(await Server.PostAsync(question));
        JsonArray messages = question["messages"]!.AsArray();
        messages.Add(first["choices"]![0]!["message"]!.DeepClone());
        messages.Add(new JsonObject { ["role"] = "user", ["content"] = "what shape is red ?" });
        JsonNode second = await RunningServer.JsonAsync(await Server.PostAsync(question));
        Assert.True((int)second["usage"]!["prompt_tokens_details"]!["cached_tokens"]! >= (int)first["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task AStreamIsFramedAsServerSentEvents()
    {
        JsonObject question = RunningServer.Question("dense", "pair", "where is the yellow square ?");
        string whole = (string)(await RunningServer.JsonAsync(await Server.PostAsync(question)))["choices"]![0]!["message"]!["content"]!;
        question["stream_options"] = new JsonObject { ["include_usage"] = true };
        using HttpResponseMessage response = await Server.StreamAsync(question);
        Assert.Equal(("text/event-stream", "utf-8", "no-store"), (response.Content.Headers.ContentType!.MediaType, response.Content.Headers.ContentType.CharSet, response.Headers.CacheControl!.ToString()));

        string[] events = (await response.Content.ReadAsStringAsync()).Split("\n\n");
        Assert.Equal("", events[^1]);
        Assert.Equal("data: [DONE]", events[^2]);
        Assert.All(events[..^1], static line => Assert.Matches("^data: [^\n]+$", line));
        List<JsonNode> chunks = [.. events[..^2].Select(static line => JsonNode.Parse(line["data: ".Length..])!)];
        Assert.All(chunks, chunk => Assert.Equal(("chat.completion.chunk", "dense", (string)chunks[0]["id"]!), ((string)chunk["object"]!, (string)chunk["model"]!, (string)chunk["id"]!)));

        // Pieces, then the reason alone, then the usage without a choice.
        Assert.Equal("assistant", (string)chunks[0]["choices"]![0]!["delta"]!["role"]!);
        Assert.Equal(whole, string.Concat(chunks[..^1].Select(static chunk => (string?)chunk["choices"]![0]!["delta"]!["content"])));
        Assert.All(chunks[..^2], static chunk => Assert.Null((string?)chunk["choices"]![0]!["finish_reason"]));
        Assert.Equal("stop", (string)chunks[^2]["choices"]![0]!["finish_reason"]!);
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.Equal(3, (int)chunks[^1]["usage"]!["completion_tokens"]!);
        Assert.All(chunks[..^1], static chunk => Assert.Null(chunk["usage"]));
    }

    [Theory]
    [InlineData("dense", "0-9:144")]
    [InlineData("quick", "0-1:144 2-4:72 5-7:72 8-8:72 9-9:0")]
    [InlineData("visionzip", "0-9:72")]
    public async Task AnAnswerTellsWhichTokensSurvivedEachSegment(string model, string expected)
    {
        JsonObject question = RunningServer.Question(model);
        question["visual_tokens"] = true;
        JsonNode report = (await RunningServer.JsonAsync(await Server.PostAsync(question)))["visual_tokens"]!;
        Assert.Equal(12, (int)report["grid"]!);
        List<JsonNode> segments = [.. report["segments"]!.AsArray().Select(static segment => segment!)];
        Assert.Equal(expected, string.Join(' ', segments.Select(static segment => $"{segment["first_layer"]}-{segment["last_layer"]}:{segment["tokens"]!.AsArray().Count}")));
        HashSet<int>? before = null;
        foreach (JsonNode segment in segments)
        {
            HashSet<int> tokens = [.. segment["tokens"]!.AsArray().Select(static token => (int)token!)];
            Assert.All(tokens, static token => Assert.InRange(token, -1, 143));
            Assert.True(before is null || tokens.IsSubsetOf(before));
            before = tokens;
        }
    }

    [Fact]
    public async Task StopAndLengthAreHonoured()
    {
        JsonObject question = RunningServer.Question("dense", "pair", "where is the yellow square ?");
        question["max_completion_tokens"] = 1;
        JsonNode cut = (await RunningServer.JsonAsync(await Server.PostAsync(question)))["choices"]![0]!;
        Assert.Equal("length", (string)cut["finish_reason"]!);
        question.Remove("max_completion_tokens");
        foreach (JsonNode stop in (JsonNode[])["ight", new JsonArray("never", "ight")])
        {
            question["stop"] = stop;
            JsonNode stopped = (await RunningServer.JsonAsync(await Server.PostAsync(question)))["choices"]![0]!;
            Assert.Equal(("bottom r", "stop"), ((string)stopped["message"]!["content"]!, (string)stopped["finish_reason"]!));
        }
    }

    [Fact]
    public async Task TheModelsAreTheDeclaredVariants()
    {
        JsonNode list = await RunningServer.JsonAsync(await Server.Client.GetAsync("/v1/models"));
        Assert.Equal("list", (string)list["object"]!);
        Assert.Equal(["dense", "pyramiddrop", "visionzip", "similarity", "quick"], list["data"]!.AsArray().Select(static model => (string)model!["id"]!));
        JsonNode quick = await RunningServer.JsonAsync(await Server.Client.GetAsync("/v1/models/quick"));
        Assert.Equal(("model", "espalier", "144 → 72 → 72 frozen → 72 → 0"), ((string)quick["object"]!, (string)quick["owned_by"]!, (string)quick["visual_tokens"]!));
        Assert.InRange((double)quick["flops_of_dense"]!, 0.1, 0.9);
        HttpResponseMessage unknown = await Server.Client.GetAsync("/v1/models/gpt");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("model_not_found", (await RunningServer.ErrorAsync(unknown)).Code);
    }

    [Fact]
    public async Task HealthAndMetricsAreThere()
    {
        Assert.Equal("""{"status":"live"}""", await Server.Client.GetStringAsync("/health/live"));
        Assert.Equal("""{"status":"ready"}""", await Server.Client.GetStringAsync("/health/ready"));
        await Server.PostAsync(RunningServer.Question("pyramiddrop", "crosses", "how many crosses are there ?"));
        HttpResponseMessage response = await Server.Client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        string text = await response.Content.ReadAsStringAsync();
        Assert.All(text.Split('\n', StringSplitOptions.RemoveEmptyEntries), static line =>
            Assert.Matches("""^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.E+]+)$""", line));
        foreach (string series in (string[])
        [
            "chat_queue_length", "chat_running", "chat_requests_total{status=\"200\"}",
            "espalier_time_to_first_token_seconds_count{model=\"pyramiddrop\"}", "espalier_time_to_first_token_seconds_bucket{model=\"pyramiddrop\",le=\"+Inf\"}",
            "espalier_decode_speed_tokens_per_second_sum{model=\"pyramiddrop\"}", "espalier_visual_tokens_seen_total{model=\"pyramiddrop\"}",
            "espalier_visual_tokens_kept_total{model=\"pyramiddrop\"}", "espalier_prefill_saved_flops_total{model=\"pyramiddrop\"}",
        ])
        {
            Assert.Contains("\n" + series + " ", "\n" + text, StringComparison.Ordinal);
        }

        // Other servers of this process measure into the same meters, so at least.
        Assert.True(await Server.MetricAsync("espalier_visual_tokens_seen_total{model=\"pyramiddrop\"}") >= 144);
        Assert.True(await Server.MetricAsync("espalier_visual_tokens_kept_total{model=\"pyramiddrop\"}") >= 18);
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/page.css", "text/css")]
    [InlineData("/page.js", "text/javascript")]
    public async Task ThePageAsksNobodyElse(string path, string type)
    {
        HttpResponseMessage response = await Server.Client.GetAsync(path);
        string text = await response.Content.ReadAsStringAsync();
        Assert.Equal(type, response.Content.Headers.ContentType!.MediaType);
        Assert.DoesNotContain("http://", text, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", text, StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        using var again = new HttpRequestMessage(HttpMethod.Get, path);
        again.Headers.IfNoneMatch.Add(response.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await Server.Client.SendAsync(again)).StatusCode);
    }
}

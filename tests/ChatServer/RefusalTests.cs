using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Espalier.Samples.ChatServer.Settings;

namespace Espalier.Tests;

/// <summary>What is not a request: each gets a status, a code and a sentence, in OpenAI's shape, and the server goes on.</summary>
public sealed class RefusalTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private RunningServer Server => fixture.Server;

    [Theory]
    [InlineData("", 400, "invalid_json")]
    [InlineData("null", 400, "invalid_json")]
    [InlineData("[]", 400, "invalid_json")]
    [InlineData("{", 400, "invalid_json")]
    [InlineData("{\"model\":7}", 400, "invalid_json")]
    [InlineData("{\"model\":\"dense\",\"messages\":{}}", 400, "invalid_json")]
    [InlineData("{\"model\":\"dense\",\"messages\":[],\"max_tokens\":1.5}", 400, "invalid_json")]
    [InlineData("{\"model\":\"\\ud800\",\"messages\":[]}", 400, "invalid_json")]
    [InlineData("{}", 400, "missing_field")]
    [InlineData("{\"model\":\"dense\"}", 400, "missing_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[null]}", 400, "missing_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"content\":\"x\"}]}", 400, "missing_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\"}]}", 400, "invalid_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\",\"content\":7}]}", 400, "invalid_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", 400, "invalid_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\",\"content\":[7]}]}", 400, "missing_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}", 400, "missing_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":[]}]}]}", 400, "invalid_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]}", 400, "unsupported_content")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}", 400, "missing_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":\"x\"}]}]}", 400, "missing_field")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"\",\"content\":\"x\"}]}", 400, "invalid_conversation")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}", 400, "invalid_conversation")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]}", 400, "invalid_conversation")]
    [InlineData("{\"model\":\"dense\",\"messages\":[]}", 400, "invalid_conversation")]
    [InlineData("{\"model\":\"dense\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", 400, "no_image")]
    [InlineData("{\"model\":\"gpt\",\"messages\":[]}", 404, "model_not_found")]
    public async Task ABadBodyIsRefused(string body, int status, string code)
    {
        HttpResponseMessage response = await Server.PostAsync(body);
        (string actual, string message, _) = await RunningServer.ErrorAsync(response);
        Assert.Equal((status, code), ((int)response.StatusCode, actual));
        Assert.InRange(message.Length, 15, 300);
    }

    [Theory]
    [InlineData("n", "2", "unsupported_option")]
    [InlineData("logprobs", "true", "unsupported_option")]
    [InlineData("logit_bias", "{\"5\":1}", "unsupported_option")]
    [InlineData("tools", "[{\"type\":\"function\"}]", "unsupported_option")]
    [InlineData("functions", "[{}]", "unsupported_option")]
    [InlineData("response_format", "{\"type\":\"json_object\"}", "unsupported_option")]
    [InlineData("frequency_penalty", "1", "unsupported_option")]
    [InlineData("presence_penalty", "-1", "unsupported_option")]
    [InlineData("temperature", "-1", "invalid_option")]
    [InlineData("temperature", "1e999", "invalid_option")]
    [InlineData("top_p", "0", "invalid_option")]
    [InlineData("top_p", "2", "invalid_option")]
    [InlineData("max_tokens", "0", "invalid_option")]
    [InlineData("max_tokens", "257", "invalid_option")]
    [InlineData("stop", "\"\"", "invalid_option")]
    [InlineData("stop", "7", "invalid_field")]
    [InlineData("stop", "[null]", "invalid_field")]
    public async Task AnOptionThatCannotBeHonouredIsRefused(string name, string value, string code)
    {
        string question = RunningServer.Question("dense").ToJsonString();
        HttpResponseMessage response = await Server.PostAsync($"{question[..^1]},\"{name}\":{value}}}");
        (string told, string message, string? param) = await RunningServer.ErrorAsync(response);
        Assert.Equal((HttpStatusCode.BadRequest, code, name), (response.StatusCode, told, param?.Split('[')[0]));
        Assert.Contains(name, message, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OptionsThatChangeNothingAreTaken()
    {
        string question = RunningServer.Question("dense").ToJsonString();
        HttpResponseMessage response = await Server.PostAsync($$"""{{question[..^1]}},"n":1,"tools":[],"logit_bias":{},"response_format":{"type":"text"},"logprobs":false,"stop":null,"user":"somebody","metadata":{"a":[1]},"temperature":0}""");
        Assert.Equal("red", (string)(await RunningServer.JsonAsync(response))["choices"]![0]!["message"]!["content"]!);
    }

    [Theory]
    [InlineData("https://example.org/cat.png", "image_not_data")]
    [InlineData("file:///etc/passwd", "image_not_data")]
    [InlineData("", "image_not_data")]
    [InlineData("data:", "invalid_data_url")]
    [InlineData("data:text/html;base64,QUJD", "invalid_data_url")]
    [InlineData("data:image/png,abc", "invalid_data_url")]
    [InlineData("data:image/png;base64,###", "invalid_data_url")]
    [InlineData("data:image/png;base64,QUJD", "invalid_image")]
    [InlineData("data:image/png;base64,", "invalid_image")]
    public async Task ABadImageIsRefused(string url, string code)
    {
        JsonObject question = RunningServer.Question("dense");
        question["messages"]![0]!["content"]![0]!["image_url"]!["url"] = url;
        HttpResponseMessage response = await Server.PostAsync(question);
        Assert.Equal((HttpStatusCode.BadRequest, code), (response.StatusCode, (await RunningServer.ErrorAsync(response)).Code));
    }

    [Fact]
    public async Task DamagedImagesAndLongTextsAreRefused()
    {
        JsonObject question = RunningServer.Question("dense");
        string url = RunningServer.DataUrl("circle");
        question["messages"]![0]!["content"]![0]!["image_url"]!["url"] = url[..^80];
        Assert.Equal("invalid_image", (await RunningServer.ErrorAsync(await Server.PostAsync(question))).Code);
        Assert.Equal("context_length_exceeded", (await RunningServer.ErrorAsync(await Server.PostAsync(RunningServer.Question("dense", text: new string('x', 3000))))).Code);
        Assert.Equal("too_long", (await RunningServer.ErrorAsync(await Server.PostAsync(RunningServer.Question("dense", text: new string('x', 20_000))))).Code);
        Assert.True((await Server.PostAsync(RunningServer.Question("dense"))).IsSuccessStatusCode);
    }

    [Fact]
    public async Task AnErrorBeforeTheFirstPieceHasAStatusInAStreamToo()
    {
        JsonObject question = RunningServer.Question("dense");
        question["messages"]![0]!["content"]![0]!["image_url"]!["url"] = "data:image/png;base64,QUJD";
        using HttpResponseMessage response = await Server.StreamAsync(question);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_image"), (response.StatusCode, (await RunningServer.ErrorAsync(response)).Code));
    }

    [Fact]
    public async Task PathsMethodsAndTypesThatAreNotServedAreErrorsInTheSameShape()
    {
        HttpResponseMessage type = await Server.PostAsync("{}", "text/plain");
        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "invalid_content_type"), (type.StatusCode, (await RunningServer.ErrorAsync(type)).Code));
        HttpResponseMessage method = await Server.Client.GetAsync("/v1/chat/completions");
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "unknown_url"), (method.StatusCode, (await RunningServer.ErrorAsync(method)).Code));
        HttpResponseMessage path = await Server.Client.GetAsync("/v1/nothing");
        Assert.Equal((HttpStatusCode.NotFound, "unknown_url"), (path.StatusCode, (await RunningServer.ErrorAsync(path)).Code));
    }

    [Fact]
    public async Task LimitsAreTheSettings()
    {
        await using RunningServer strict = await RunningServer.StartAsync("--variants", "quick", "--body-bytes", "8000", "--image-bytes", "1000", "--text-length", "30", "--answer-tokens", "5");
        HttpResponseMessage body = await strict.PostAsync(new string(' ', 8001));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "body_too_large"), (body.StatusCode, (await RunningServer.ErrorAsync(body)).Code));
        Assert.Equal("image_too_large", (await RunningServer.ErrorAsync(await strict.PostAsync(RunningServer.Question(image: "corners")))).Code);
        Assert.Equal("too_long", (await RunningServer.ErrorAsync(await strict.PostAsync(RunningServer.Question(text: new string('x', 31))))).Code);
        JsonObject tokens = RunningServer.Question();
        tokens["max_tokens"] = 6;
        Assert.Equal("invalid_option", (await RunningServer.ErrorAsync(await strict.PostAsync(tokens))).Code);

        await using RunningServer small = await RunningServer.StartAsync("--variants", "quick", "--image-pixels", "500");
        Assert.Equal("image_too_large", (await RunningServer.ErrorAsync(await small.PostAsync(RunningServer.Question()))).Code);
    }

    [Theory]
    [InlineData("--queue", "-1", "0 to 65536")]
    [InlineData("--running", "0", "1 to 1024")]
    [InlineData("--body-bytes", "many", "a number")]
    [InlineData("--variants", "dense,swift", "no variant \"swift\"")]
    [InlineData("--image-pixels", "99999999999999", "a number")]
    public async Task AWrongSettingIsNamedAtTheStart(string name, string value, string says)
    {
        SettingException error = await Assert.ThrowsAsync<SettingException>(async () => await RunningServer.StartAsync(name, value));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Espalier.Tests;

/// <summary>Places: who runs, who waits, who is refused, and what happens to those who leave.</summary>
public sealed class QueueTests
{
    [Fact]
    public async Task WhoFindsNoPlaceIsToldWhenToComeAgain()
    {
        await using RunningServer server = await RunningServer.StartAsync("--variants", "quick", "--running", "1", "--queue", "1", "--body-seconds", "60");

        // Two requests whose bodies do not come take the two places.
        using Socket first = await OpenAsync(server);
        using Socket second = await OpenAsync(server);
        await server.UntilAsync(async () => (await server.PostAsync(RunningServer.Question())).StatusCode == HttpStatusCode.TooManyRequests, "both places are taken");
        HttpResponseMessage refused = await server.PostAsync(RunningServer.Question());
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Equal("queue_full", (await RunningServer.ErrorAsync(refused)).Code);

        // Who leaves gives the place back.
        first.Close();
        await server.UntilAsync(async () => (await server.PostAsync(RunningServer.Question())).IsSuccessStatusCode, "a place is free again");
    }

    [Fact]
    public async Task ABodyThatDoesNotComeIsNotWaitedForForever()
    {
        await using RunningServer server = await RunningServer.StartAsync("--variants", "quick", "--body-seconds", "1");
        using Socket socket = await OpenAsync(server);
        var answer = new byte[16];
        int read = await socket.ReceiveAsync(answer);
        Assert.StartsWith("HTTP/1.1 408", Encoding.ASCII.GetString(answer, 0, read), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestsWaitAndAllAreAnsweredAsAlone()
    {
        await using RunningServer server = await RunningServer.StartAsync("--variants", "dense", "--running", "1", "--queue", "8");
        JsonObject question = await server.LongQuestionAsync();
        string alone = await TextAsync(await server.PostAsync(question));
        Task<HttpResponseMessage>[] all = [.. Enumerable.Range(0, 4).Select(_ => server.PostAsync(question))];
        await server.UntilAsync(async () => await server.MetricAsync("chat_queue_length") > 0 && await server.MetricAsync("chat_running") == 1, "requests wait");
        foreach (Task<HttpResponseMessage> request in all)
        {
            Assert.Equal(alone, await TextAsync(await request));
        }

        Assert.Equal(0, await server.MetricAsync("chat_queue_length"));
    }

    [Fact]
    public async Task AnAnswerEndsWhenItsReaderLeaves()
    {
        await using RunningServer server = await RunningServer.StartAsync("--variants", "dense", "--running", "1");
        JsonObject question = await server.LongQuestionAsync();
        double before = await server.MetricAsync("chat_requests_total{status=\"499\"}");
        async Task<bool> Leave()
        {
            using (HttpResponseMessage response = await server.StreamAsync(question))
            {
                Stream body = await response.Content.ReadAsStreamAsync();
                Assert.True(await body.ReadAsync(new byte[64]) > 0);
            }

            await server.UntilAsync(async () => await server.MetricAsync("chat_running") == 0, "the answer has ended");
            return await server.MetricAsync("chat_requests_total{status=\"499\"}") > before;
        }

        // Once may be too late: the answer is there as soon as its end is written.
        await server.UntilAsync(Leave, "the request is counted as left");
        Assert.Equal(0, await server.MetricAsync("chat_running"));
        Assert.Equal("red", await TextAsync(await server.PostAsync(RunningServer.Question("dense"))));
    }

    private static async Task<string> TextAsync(HttpResponseMessage response) =>
        (string)(await RunningServer.JsonAsync(response))["choices"]![0]!["message"]!["content"]!;

    // The headers of a request, and nothing of its body.
    private static async Task<Socket> OpenAsync(RunningServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Address.Host, server.Address.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST /v1/chat/completions HTTP/1.1\r\nHost: {server.Address.Authority}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"));
        return socket;
    }
}

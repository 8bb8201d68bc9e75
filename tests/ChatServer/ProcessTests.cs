using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Espalier.Tests;

/// <summary>The program itself: how it starts, and how it ends.</summary>
public sealed class ProcessTests
{
    private static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "ChatServer.dll");

    [TerminateFact]
    public async Task ToldToStopItFinishesWhatItAnswers()
    {
        await using ServerProcess server = await ServerProcess.StartAsync("--variants", "dense", "--running", "1");
        JsonObject question = RunningServer.Question("dense");
        question["stream"] = true;
        question["temperature"] = 40;
        question["max_tokens"] = 250;
        question["logit_bias"] = new JsonObject();
        using HttpResponseMessage response = await server.Client.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(question.ToJsonString(), null, "application/json") },
            HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.StartsWith("data: {", await reader.ReadLineAsync(), StringComparison.Ordinal);
        server.Terminate();
        string rest = await reader.ReadToEndAsync();
        Assert.EndsWith("data: [DONE]\n\n", rest, StringComparison.Ordinal);
        Assert.Equal(0, await server.ExitCodeAsync());
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => server.Client.GetAsync("/health/live"));
    }

    [Fact]
    public async Task AModelThatCannotBeLoadedEndsTheServerWithAReason()
    {
        ChildProcess ended = await ChildProcess.RunDotnet(AppContext.BaseDirectory, Program, "--urls", "http://127.0.0.1:0", "--model", "no-such-folder");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("no-such-folder", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWrongSettingIsOneLineAndAnExitCode()
    {
        ChildProcess ended = await ChildProcess.RunDotnet(AppContext.BaseDirectory, Program, "--queue", "many");
        Assert.Equal((2, "The setting ChatServer:Queue is \"many\"; it is a number from 0 to 65536.\n"), (ended.ExitCode, ended.Errors));
    }

    private sealed class ServerProcess : IAsyncDisposable
    {
        private readonly Process _process;

        private ServerProcess(Process process, Uri address)
        {
            _process = process;
            Client = new HttpClient { BaseAddress = address };
        }

        public HttpClient Client { get; }

        public static async Task<ServerProcess> StartAsync(params string[] arguments)
        {
            Process process = Process.Start(new ProcessStartInfo(ChildProcess.DotnetHost, [Program, "--urls", "http://127.0.0.1:0", .. arguments]) { RedirectStandardOutput = true })!;
            Uri? address = null;
            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line.Contains("listening on: ", StringComparison.Ordinal))
                {
                    address = new Uri(line[(line.IndexOf("http", StringComparison.Ordinal))..]);
                }

                if (line.Contains("variants loaded", StringComparison.Ordinal))
                {
                    _ = process.StandardOutput.ReadToEndAsync();
                    return new ServerProcess(process, address!);
                }
            }

            throw new InvalidOperationException("The server ended before it was ready.");
        }

        public void Terminate() => Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])!.WaitForExit();

        public async Task<int> ExitCodeAsync()
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            return _process.ExitCode;
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            if (!_process.HasExited)
            {
                _process.Kill();
            }

            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}

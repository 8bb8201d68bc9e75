namespace Espalier.Tests;

/// <summary>Clients that nobody here wrote: OpenAI's own, and a browser.</summary>
public sealed class ClientTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    [NodeFact]
    public async Task OpenAisClientIsServed() =>
        Assert.Contains("all is as it should be", await NodeScript.RunAsync("openai-client.mjs", fixture.Server.Address.ToString(), RepositoryFolder.Combine("samples", "images")), StringComparison.Ordinal);

    [BrowserFact]
    public async Task ThePageWorksInABrowser() =>
        Assert.Contains("all is as it should be", await NodeScript.RunAsync("page.mjs", fixture.Server.Address.ToString(), RepositoryFolder.Combine("samples", "images"), NodeScript.Chromium!, Environment.GetEnvironmentVariable("ESPALIER_SCREENSHOTS") ?? ""), StringComparison.Ordinal);
}

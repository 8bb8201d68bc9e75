using System.Text.RegularExpressions;
using Espalier.Samples.ChatServer.Settings;

namespace Espalier.Tests;

/// <summary>What generator/docs/serve.md says, done.</summary>
public sealed partial class DocumentationTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private static readonly string Page = File.ReadAllText(RepositoryFolder.Combine("generator", "docs", "serve.md"));

    [Fact]
    public void EverySettingIsNamedAndEveryNamedOneIsASetting()
    {
        IEnumerable<string> named = Switch().Matches(Page).Select(static match => match.Value).Except(["--urls", "--project", "--data-binary"]);
        Assert.Equal(ServerSettings.Switches.Keys.Order(StringComparer.Ordinal), named.Distinct().Order(StringComparer.Ordinal));
    }

    [CurlFact]
    public async Task TheCommandsOfTheDocumentationAreRun()
    {
        MatchCollection blocks = Block().Matches(Page);
        Assert.Equal(2, blocks.Count);
        foreach (Match block in blocks)
        {
            string command = block.Groups["command"].Value.Replace("http://localhost:5000", fixture.Server.Address.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);
            ChildProcess ended = await ChildProcess.Run("bash", RepositoryFolder.Root, new Dictionary<string, string?>(), "-c", command);
            Assert.Equal(0, ended.ExitCode);
            Assert.Contains(block.Groups["prints"].Value, ended.Output, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(@"--[a-z]+(-[a-z]+)*(?=[` ])")]
    private static partial Regex Switch();

    [GeneratedRegex(@"<!-- run, prints (?<prints>[^\n]+) -->\n```sh\n(?<command>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Block();
}

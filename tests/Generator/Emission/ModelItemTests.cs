using System.Text.Json;

namespace Espalier.Tests;

/// <summary>The build turns <c>EspalierModel</c> items into what the generator reads.</summary>
public sealed class ModelItemTests
{
    private static readonly string Targets = RepositoryFolder.Combine("generator", "Espalier.Generator", "build", "Espalier.Generator.targets");

    [Fact]
    public async Task FoldersBecomeNamedConfigs()
    {
        using var temporary = new TemporaryFolder();
        string folder = temporary.Path;
            await File.WriteAllTextAsync(Path.Combine(folder, "items.proj"), $"""
                <Project>
                  <ItemGroup>
                    <EspalierModel Include="models/shapes" />
                    <EspalierModel Include="models/llava-1.5-7b/" />
                    <EspalierModel Include="models/other" Name="named" />
                    <AdditionalFiles Include="notes.txt" />
                  </ItemGroup>
                  <Import Project="{Targets}" />
                </Project>
                """);
            using JsonDocument items = JsonDocument.Parse(await Evaluate(folder));
            JsonElement found = items.RootElement.GetProperty("Items");
            Assert.Equal(
                [("notes.txt", ""), (Config("shapes"), "shapes"), (Config("llava-1.5-7b"), "llava-1.5-7b"), (Config("other"), "named")],
                found.GetProperty("AdditionalFiles").EnumerateArray().Select(item => (
                    item.GetProperty("Identity").GetString()!.Replace('\\', '/'),
                    item.TryGetProperty("EspalierModel", out JsonElement name) ? name.GetString()! : "")));
            JsonElement visible = Assert.Single(found.GetProperty("CompilerVisibleItemMetadata").EnumerateArray());
            Assert.Equal(("AdditionalFiles", "EspalierModel"), (visible.GetProperty("Identity").GetString(), visible.GetProperty("MetadataName").GetString()));

        string Config(string model) => Path.Combine(folder, "models", model, "config.json").Replace('\\', '/');
    }

    [Fact]
    public async Task AMissingConfigIsNamedByTheBuild()
    {
        using var temporary = new TemporaryFolder();
        string folder = temporary.Path;
            Directory.CreateDirectory(Path.Combine(folder, "models/shapes"));
            await File.WriteAllTextAsync(Path.Combine(folder, "models/shapes/config.json"), "{}");
            await File.WriteAllTextAsync(Path.Combine(folder, "items.proj"), $"""
                <Project>
                  <ItemGroup>
                    <EspalierModel Include="models/shapes" />
                    <EspalierModel Include="models/gone" Condition="'$(Gone)' == 'true'" />
                  </ItemGroup>
                  <Import Project="{Targets}" />
                  <Target Name="CoreCompile" />
                </Project>
                """);
            (int code, string text) = await Build(folder, "-t:CoreCompile", "-p:Gone=true");
            Assert.Equal(1, code);
            Assert.Contains("error ESP0302: The config.json of model 'gone' cannot be read: '" + Path.Combine(folder, "models/gone/config.json") + "'", text, StringComparison.Ordinal);
            Assert.Equal(0, (await Build(folder, "-t:CoreCompile")).Code);
    }

    private static async Task<string> Evaluate(string folder)
    {
        (int code, string text) = await Build(folder, "-getItem:AdditionalFiles", "-getItem:CompilerVisibleItemMetadata");
        Assert.True(code == 0, text);
        return text;
    }

    private static async Task<(int Code, string Text)> Build(string folder, params string[] arguments)
    {
        ChildProcess build = await ChildProcess.RunDotnet(folder, ["msbuild", "items.proj", "-nologo", .. arguments]);
        return (build.ExitCode, build.Output);
    }
}

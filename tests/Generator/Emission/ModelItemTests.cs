using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Espalier.Tests;

/// <summary>The build turns <c>EspalierModel</c> items into what the generator reads.</summary>
public sealed class ModelItemTests
{
    [Fact]
    public async Task FoldersBecomeNamedConfigs()
    {
        string targets = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../../generator/Espalier.Generator/build/Espalier.Generator.targets"));
        string folder = Directory.CreateTempSubdirectory("espalier-items-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "items.proj"), $"""
                <Project>
                  <ItemGroup>
                    <EspalierModel Include="models/shapes" />
                    <EspalierModel Include="models/llava-1.5-7b/" />
                    <EspalierModel Include="models/other" Name="named" />
                    <AdditionalFiles Include="notes.txt" />
                  </ItemGroup>
                  <Import Project="{targets}" />
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
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        string Config(string model) => Path.Combine(folder, "models", model, "config.json").Replace('\\', '/');
    }

    private static async Task<string> Evaluate(string folder)
    {
        var start = new ProcessStartInfo("dotnet", ["msbuild", "items.proj", "-nologo", "-getItem:AdditionalFiles", "-getItem:CompilerVisibleItemMetadata"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, text);
        return text;
    }

    private static string Here([CallerFilePath] string file = "") => file;
}

using System.Text.RegularExpressions;

namespace Espalier.Tests;

/// <summary>Each diagnostic, seen by somebody who has only the packages: in two projects, since one of them is about the language's version.</summary>
[Collection(PackedFeed.Collection)]
public sealed partial class EveryDiagnosticTests(PackedFeed feed)
{
    [Fact]
    public async Task EachFiresFromThePackage()
    {
        string[] ids = [.. Row().Matches(File.ReadAllText(RepositoryFolder.Combine("generator", "Espalier.Generator", "AnalyzerReleases.Unshipped.md"))).Select(static row => row.Groups[1].Value)];
        Assert.InRange(ids.Length, 50, 500);
        string now = await Build("every-diagnostic", "latest", Wrong());
        string old = await Build("old-language", "11", "namespace Old { using Espalier; [VisionLanguageModel(\"shapes\")] public sealed partial class C { } }");
        Assert.True(old.Contains("error ESP0306", StringComparison.Ordinal), old);
        string[] silent = [.. ids.Where(id => id != "ESP0306" && !now.Contains("error " + id, StringComparison.Ordinal) && !now.Contains("warning " + id, StringComparison.Ordinal))];
        Assert.True(silent.Length == 0, $"{string.Join(", ", silent)} did not fire.\n{now}");
        Assert.DoesNotContain("error CS", now, StringComparison.Ordinal);
    }

    /// <summary>A declaration a diagnostic, each in a namespace of its own; those about the project follow.</summary>
    private static string Wrong()
    {
        // What the compiler itself refuses in a declaration keeps analyzers from running.
        IEnumerable<DiagnosticCase> cases = DiagnosticCases.Firing.Where(static one => !one.Source.Contains("<[|int|]>", StringComparison.Ordinal)).DistinctBy(static one => one.Id);
        string[] declarations =
        [
            .. cases.Select(static one => one.Source.Replace("[|", "", StringComparison.Ordinal).Replace("|]", "", StringComparison.Ordinal)),
            .. new[] { "unknown", "gone", "malformed", "foreign", "twice" }.Select(static model => $"[VisionLanguageModel(\"{model}\")] public sealed partial class C;"),
            "[VisionLanguageModel(\"full\")] [ToMe(R = 5)] public sealed partial class C;",
            "[VisionLanguageModel(\"shapes\")] public sealed partial class C;",
        ];
        return string.Concat(declarations.Select(static (declaration, i) => $"namespace Case{i}\n{{\nusing Espalier;\n{declaration}\n}}\n"));
    }

    private async Task<string> Build(string name, string language, string source)
    {
        string folder = feed.NewFolder(name);
        string shapes = File.ReadAllText(RepositoryFolder.Combine("tests", "Generator", "Models", "shapes.json"));
        Model(folder, "shapes", shapes);
        Model(folder, "wide", File.ReadAllText(RepositoryFolder.Combine("tests", "Generator", "Models", "wide.json")));
        Model(folder, "llava-1.5-7b", File.ReadAllText(RepositoryFolder.Combine("tests", "Generator", "Models", "llava-1.5-7b.json")));
        Model(folder, "malformed", "{ \"model_type\": \"llava\", }");
        Model(folder, "foreign", "{ \"model_type\": \"idefics3\" }");
        Model(folder, "full", shapes.Replace("\"default\"", "\"full\"", StringComparison.Ordinal));
        Model(folder, "other/twice", shapes);
        Model(folder, "twice", shapes);
        File.WriteAllText(Path.Combine(folder, "Wrong.cs"), source);
        File.WriteAllText(Path.Combine(folder, ".editorconfig"), "root = true\n[*.cs]\ndotnet_diagnostic.ESP0401.severity = error\n");
        File.WriteAllText(
            Path.Combine(folder, "Wrong.csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <LangVersion>{language}</LangVersion>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Espalier" Version="{feed.Version}" />
                <EspalierModel Include="models/shapes;models/wide;models/llava-1.5-7b;models/gone;models/malformed;models/foreign;models/full;models/twice;models/other/twice" />
              </ItemGroup>
            </Project>
            """);
        ChildProcess build = await feed.Dotnet(folder, "build", "-v", "q");
        Assert.NotEqual(0, build.ExitCode);
        return build.Output;
    }

    private static void Model(string folder, string name, string config)
    {
        string model = Path.Combine(folder, "models", name);
        Directory.CreateDirectory(model);
        File.WriteAllText(Path.Combine(model, "config.json"), config);
    }

    [GeneratedRegex(@"^(ESP\d{4}) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}

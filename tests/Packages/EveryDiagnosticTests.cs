using System.Text.RegularExpressions;

namespace Espalier.Tests;

/// <summary>Each diagnostic, seen by somebody who has only the packages: in three projects, since one is about the language's version, and one keeps the compiler from starting.</summary>
[Collection(PackedFeed.Collection)]
public sealed partial class EveryDiagnosticTests(PackedFeed feed)
{
    /// <summary>Told in an editor only: two such attributes on a class are an error of the language too, behind which a build asks no analyzer.</summary>
    private const string Twice = "ESP0118";

    private const string Models = "models/shapes;models/wide;models/llava-1.5-7b;models/malformed;models/foreign;models/full;models/twice;models/other/twice";

    [Fact]
    public async Task EachFiresFromThePackage()
    {
        string[] ids = [.. Row().Matches(File.ReadAllText(RepositoryFolder.Combine("generator", "Espalier.Generator", "AnalyzerReleases.Unshipped.md"))).Select(static row => row.Groups[1].Value)];
        Assert.InRange(ids.Length, 50, 500);
        string[] told =
        [
            await Build("every-diagnostic", "latest", Models, Wrong()),
            await Build("old-language", "11", "models/shapes", "namespace Old { using Espalier; [VisionLanguageModel(\"shapes\")] public sealed partial class C { } }"),
            await Build("gone", "latest", "models/gone", "namespace Gone { using Espalier; [VisionLanguageModel(\"gone\")] public sealed partial class C { } }"),
        ];
        string all = string.Join('\n', told);
        string[] silent = [.. ids.Where(id => id != Twice && !all.Contains("error " + id, StringComparison.Ordinal) && !all.Contains("warning " + id, StringComparison.Ordinal))];
        Assert.True(silent.Length == 0, $"{string.Join(", ", silent)} did not fire.\n{all}");
        Assert.DoesNotContain("error CS", all, StringComparison.Ordinal);
    }

    /// <summary>A declaration a diagnostic, each in a namespace of its own; those about the project follow.</summary>
    private static string Wrong()
    {
        // What the compiler itself refuses in a declaration keeps analyzers from running.
        IEnumerable<DiagnosticCase> cases = DiagnosticCases.Firing.Where(static one => one.Id != Twice && !one.Source.Contains("<[|int|]>", StringComparison.Ordinal)).DistinctBy(static one => one.Id);
        string[] declarations =
        [
            .. cases.Select(static one => one.Source.Replace("[|", "", StringComparison.Ordinal).Replace("|]", "", StringComparison.Ordinal)),
            .. new[] { "unknown", "malformed", "foreign", "twice" }.Select(static model => $"[VisionLanguageModel(\"{model}\")] public sealed partial class C;"),
            "[VisionLanguageModel(\"full\")] [ToMe(R = 5)] public sealed partial class C;",
            "[VisionLanguageModel(\"shapes\")] public sealed partial class C;",
        ];
        return string.Concat(declarations.Select(static (declaration, i) => $"namespace Case{i}\n{{\nusing Espalier;\n{declaration}\n}}\n"));
    }

    private async Task<string> Build(string name, string language, string models, string source)
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
                <EspalierModel Include="{models}" />
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

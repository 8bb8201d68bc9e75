namespace Espalier.Tests;

/// <summary>A user's projects, outside the repository, with nothing but the packages.</summary>
[Collection(PackedFeed.Collection)]
public sealed class ConsumerTests(PackedFeed feed)
{
    private static readonly string Shapes = RepositoryFolder.Combine("samples", "models", "shapes");

    [Fact]
    public async Task ADiagnosticOfEachFamilyFires()
    {
        string folder = feed.NewFolder("wrong");
        Project(folder, "Wrong", "net10.0", "");
        File.WriteAllText(Path.Combine(folder, "Wrong.cs"),
            """
            using Espalier;

            [VisionLanguageModel("shapes")]
            public sealed class NotPartial;

            [VisionLanguageModel("shapes")]
            [FastV(K = 20, R = 0.5)]
            public sealed partial class NoSuchLayer;

            [VisionLanguageModel("shapes")]
            [PruneVisual(AfterLayer = 2, Keep = 500)]
            public sealed partial class TooMany;

            [VisionLanguageModel("shaped")]
            public sealed partial class NoSuchModel;

            [VisionLanguageModel("shapes")]
            [Vtw(K = 5)]
            public sealed partial class Right;
            """);

        // The cost of a plan is information: told as an error here, to see it.
        File.WriteAllText(Path.Combine(folder, ".editorconfig"), "root = true\n[*.cs]\ndotnet_diagnostic.ESP0401.severity = error\n");
        ChildProcess build = await feed.Dotnet(folder, "build", "-v", "q");
        Assert.NotEqual(0, build.ExitCode);
        foreach (string expected in (string[])["Wrong.cs(4,21): error ESP0001", "Wrong.cs(7,8): error ESP0101", "Wrong.cs(11,30): error ESP0202", "Wrong.cs(14,22): error ESP0301", "error ESP0401"])
        {
            Assert.Contains(expected, build.Output, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("error CS", build.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutNpmAndWithoutAFileThereIsOneClearError()
    {
        string folder = feed.NewFolder("no-npm");
        Project(folder, "NoNpm", "net10.0", "<OutputType>Exe</OutputType>");
        File.WriteAllText(Path.Combine(folder, "Program.cs"), "System.Console.WriteLine();");
        Assert.Equal(0, (await feed.Dotnet(folder, "restore", "-v", "q")).ExitCode);

        var environment = new Dictionary<string, string?> { ["PATH"] = PathWithoutNpm.In(folder), ["ESPALIER_CACHE"] = Path.Combine(folder, "cache"), ["ESPALIER_ONNXRUNTIME"] = null };
        ChildProcess build = await feed.Dotnet(folder, environment, "build", "--no-restore", "-v", "q");
        Assert.NotEqual(0, build.ExitCode);
        Assert.Contains("Espalier needs the native library", build.Output, StringComparison.Ordinal);
        Assert.Contains("Install npm", build.Output, StringComparison.Ordinal);
    }

    private void Project(string folder, string name, string framework, string properties) => File.WriteAllText(
        Path.Combine(folder, name + ".csproj"),
        $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <TargetFramework>{framework}</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
            <InvariantGlobalization>true</InvariantGlobalization>
            {properties}
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Espalier.Imaging" Version="{feed.Version}" />
            <PackageReference Include="Espalier" Version="{feed.Version}" />
          </ItemGroup>
          <ItemGroup>
            <EspalierModel Include="{Shapes}" />
          </ItemGroup>
        </Project>
        """);
}

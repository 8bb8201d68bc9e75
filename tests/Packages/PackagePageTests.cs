namespace Espalier.Tests;

/// <summary>What the packages' own pages show, done by somebody who has only the packages, with the sample model under the name that the pages give it.</summary>
[Collection(PackedFeed.Collection)]
public sealed class PackagePageTests(PackedFeed feed)
{
    [Fact]
    public async Task TheToolsCommandsRun()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string folder = Reader("tool-page");
        File.WriteAllText(Path.Combine(folder, "questions.jsonl"), """{"image": "photo.jpg", "question": "what color is the circle ?", "answer": "red"}""" + "\n");
        Dictionary<string, string?> environment = feed.Environment();
        environment["DOTNET_ROOT"] = Path.GetDirectoryName(Path.GetFullPath(ChildProcess.DotnetHost));
        environment["PATH"] = Path.Combine(environment["DOTNET_CLI_HOME"]!, ".dotnet", "tools") + ":" + Environment.GetEnvironmentVariable("PATH");
        Assert.Equal(1, await DocumentedCommands.Run("runtime/Espalier.Tool/PACKAGE.md", folder, environment));
        Assert.True(File.Exists(Path.Combine(folder, "plan.svg")));
        Assert.Contains("\"answer\":\"red\"", File.ReadAllText(Path.Combine(folder, "answers.jsonl")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheTemplatesCommandsRun()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        Assert.Equal(1, await DocumentedCommands.Run("runtime/Espalier.Templates/PACKAGE.md", Reader("template-page"), feed.Environment()));
    }

    /// <summary>The C# of both pages in one program: the class, the answer, and the loop that Espalier.Imaging shows.</summary>
    [Fact]
    public async Task TheLibrariesCodeBuildsAndAnswers()
    {
        const string Page = "runtime/Espalier.Runtime/PACKAGE.md";
        string folder = Reader("library-page");
        string[] code = [.. DocumentedCommands.Blocks(Page).Where(static block => block.Language == "csharp").Select(static block => string.Join('\n', block.Lines))];
        Assert.Equal(2, code.Length);
        string loop = DocumentedCommands.Block("runtime/Espalier.Imaging/PACKAGE.md", "csharp");
        File.WriteAllText(Path.Combine(folder, "QuickLlava.cs"), code[0]);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), "using Espalier.Imaging;\n" + code[1] + "\n" + loop);
        File.WriteAllText(
            Path.Combine(folder, "Page.csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Espalier" Version="{feed.Version}" />
                <PackageReference Include="Espalier.Imaging" Version="{feed.Version}" />
              </ItemGroup>
            {DocumentedCommands.Block(Page, "xml")}
            </Project>
            """);
        ChildProcess run = await feed.Dotnet(folder, "run");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        Assert.NotEmpty(run.Output.Trim());
    }

    /// <summary>A folder with <c>models/llava</c> and <c>photo.jpg</c>.</summary>
    private string Reader(string name)
    {
        string folder = feed.NewFolder(name);
        Directory.CreateDirectory(Path.Combine(folder, "models"));
        Directory.CreateSymbolicLink(Path.Combine(folder, "models", "llava"), RepositoryFolder.Combine("samples", "models", "shapes"));
        File.Copy(RepositoryFolder.Combine("samples", "images", "circle.png"), Path.Combine(folder, "photo.jpg"));
        return folder;
    }
}

namespace Espalier.Tests;

/// <summary>The tool and the template, installed from their packages.</summary>
[Collection(PackedFeed.Collection)]
public sealed class ToolAndTemplateTests(PackedFeed feed)
{
    private static readonly string Shapes = RepositoryFolder.Combine("samples", "models", "shapes");

    [Fact]
    public async Task TheInstalledToolPlansAndAnswers()
    {
        string folder = feed.NewFolder("tool");
        ChildProcess install = await feed.Dotnet(folder, "tool", "install", "Espalier.Tool", "--tool-path", "bin", "--version", feed.Version);
        Assert.True(install.ExitCode == 0, install.Output + install.Errors);

        (int code, string output, string errors) = await Run(folder, [], "plan", Shapes, "-p", "[FastV(K = 2, R = 0.5)]");
        Assert.True(code == 0, errors);
        Assert.Contains("144 → 72", output, StringComparison.Ordinal);

        string[] ask = ["ask", Shapes, RepositoryFolder.Combine("samples", "images", "circle.png"), "what color is the circle ?", "-p", "[Vtw(K = 9)]"];
        (code, output, errors) = await Run(folder, [], ask);
        Assert.True(code == 0, errors);
        Assert.Equal("red\n", output);

        // An empty cache and no npm: one line that says what to do.
        (code, output, errors) = await Run(folder, [("PATH", Path.GetDirectoryName(Path.GetFullPath(ChildProcess.DotnetHost)) + ":" + PathWithoutNpm.In(folder)), ("ESPALIER_CACHE", Path.Combine(folder, "cache"))], ask);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("Install npm", errors, StringComparison.Ordinal);
        Assert.Single(errors.Trim().Split('\n'));
    }

    [Fact]
    public async Task TheTemplateMakesAProgramThatAnswers()
    {
        string folder = feed.NewFolder("template");
        string hive = Path.Combine(folder, "hive");
        ChildProcess install = await feed.Dotnet(folder, "new", "install", Path.Combine(feed.Feed, $"Espalier.Templates.{feed.Version}.nupkg"), "--debug:custom-hive", hive);
        Assert.True(install.ExitCode == 0, install.Output + install.Errors);

        ChildProcess made = await feed.Dotnet(folder, "new", "espalier", "--name", "Try.Out", "--debug:custom-hive", hive, "--no-restore");
        Assert.True(made.ExitCode == 0, made.Output + made.Errors);
        string project = Path.Combine(folder, "Try.Out");

        // What 'espalier search' and 'espalier calibrate' write names the folder, and goes into the project as it is.
        File.WriteAllText(Path.Combine(project, "ChosenModel.cs"), "using Espalier;\n\n[VisionLanguageModel(\"shapes\")]\n[Vtw(K = 8)]\npublic sealed partial class ChosenModel;\n");
        ChildProcess run = await feed.Dotnet(project, "run", "--", "picture.png", "what color is the circle ?");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        Assert.Equal("red\n", run.Output.ReplaceLineEndings("\n"));

        // With a model of one's own the sample model stays away, and the folder is named everywhere.
        made = await feed.Dotnet(folder, "new", "espalier", "--name", "Own", "--model", Shapes + "/", "--framework", "net9.0", "--debug:custom-hive", hive, "--no-restore");
        Assert.True(made.ExitCode == 0, made.Output + made.Errors);
        Assert.False(Directory.Exists(Path.Combine(folder, "Own", "models")));
        Assert.Contains("[VisionLanguageModel(\"shapes\")]", File.ReadAllText(Path.Combine(folder, "Own", "QuickModel.cs")), StringComparison.Ordinal);
        Assert.Contains($"Include=\"{Shapes}/\"", File.ReadAllText(Path.Combine(folder, "Own", "Own.csproj")), StringComparison.Ordinal);
        Assert.Contains($"Checkpoint.Open(\"{Shapes}/\")", File.ReadAllText(Path.Combine(folder, "Own", "Program.cs")), StringComparison.Ordinal);
        Assert.Contains("<TargetFramework>net9.0<", File.ReadAllText(Path.Combine(folder, "Own", "Own.csproj")), StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Errors)> Run(string folder, (string Name, string Value)[] environment, params string[] arguments)
    {
        var all = environment.ToDictionary(static variable => variable.Name, static variable => (string?)variable.Value);
        all["DOTNET_ROOT"] = Path.GetDirectoryName(Path.GetFullPath(ChildProcess.DotnetHost));
        ChildProcess tool = await ChildProcess.Run(Path.Combine(folder, "bin", "espalier"), folder, all, arguments);
        return (tool.ExitCode, tool.Output, tool.Errors);
    }
}

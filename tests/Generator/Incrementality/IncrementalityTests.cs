using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using static Microsoft.CodeAnalysis.IncrementalStepRunReason;
using StepNames = Espalier.VisionLanguageModelGenerator.StepNames;

namespace Espalier.Tests;

/// <summary>What an edit makes the generator run again, step by step.</summary>
public sealed class IncrementalityTests
{
    private const string Declared = """
        using Espalier;

        [VisionLanguageModel("shapes")]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class QuickShapes;
        """;

    private const string Other = "public sealed class Other { }";

    [Fact]
    public void NothingChanged() => AssertReasons(run => run, Cached, Cached, Cached, Cached, Cached, Cached);

    [Fact]
    public void CommentInTheDeclaration() =>
        AssertReasons(run => run.Edit("Declared.cs", Declared.Replace("public", "// A comment.\npublic", StringComparison.Ordinal)), Cached, Cached, Cached, Unchanged, Cached, Cached);

    [Fact]
    public void UnrelatedTypeInTheSameFile() => AssertReasons(run => run.Edit("Declared.cs", Declared + "\npublic sealed class New;"), Cached, Cached, Cached, Unchanged, Cached, Cached);

    [Fact]
    public void KeystrokeInAnotherFile() => AssertReasons(run => run.Edit("Other.cs", "public sealed class Other { private int x; }"), Cached, Cached, Cached, Unchanged, Cached, Cached);

    [Fact]
    public void MemberAddedToTheClass() =>
        AssertReasons(run => run.Edit("Declared.cs", Declared.Replace("QuickShapes;", "QuickShapes { public int Count => 1; }", StringComparison.Ordinal)), Cached, Cached, Cached, Unchanged, Cached, Cached);

    [Fact]
    public void SameValueWrittenAnotherWay() => AssertReasons(run => run.Edit("Declared.cs", Declared.Replace("K = 2", "K = 1 + 1", StringComparison.Ordinal)), Cached, Cached, Cached, Unchanged, Cached, Cached);

    [Fact]
    public void PolicyChanged() => AssertReasons(run => run.Edit("Declared.cs", Declared.Replace("K = 2", "K = 3", StringComparison.Ordinal)), Cached, Cached, Cached, Modified, Modified, Modified);

    [Fact]
    public void PolicyAdded() => AssertReasons(run => run.Edit("Declared.cs", Declared.Replace("[FastV", "[ShortV(5)]\n[FastV", StringComparison.Ordinal)), Cached, Cached, Cached, Modified, Modified, Modified);

    [Fact]
    public void ConfigChanged() => AssertReasons(run => run.Replace(ModelFile.Shapes, Json("\"num_hidden_layers\": 10", "\"num_hidden_layers\": 12")), Modified, Modified, Modified, Cached, Modified, Modified);

    [Fact]
    public void ConfigChangedInWhatTheGeometryDoesNotHold() =>
        AssertReasons(run => run.Replace(ModelFile.Shapes, Json("\"pad_token_id\": 376,", "\"pad_token_id\":   377,")), Modified, Unchanged, Cached, Cached, Cached, Cached);

    [Fact]
    public void ConfigOfAnotherModelChanged() =>
        AssertReasons(run => run.Replace(ModelFile.Wide, ModelFile.Wide.Json!.Replace("\"num_hidden_layers\": 24", "\"num_hidden_layers\": 23", StringComparison.Ordinal)), Modified, Modified, Modified, Cached, Unchanged, Cached);

    [Fact]
    public void FileThatIsNoModelAdded()
    {
        Run run = Run.First();
        run.Driver = run.Driver.AddAdditionalTexts([new ModelFile(null, "nothing", "/notes.txt")]);
        GeneratorRunResult result = run.Again();
        Assert.All(Reasons(result, StepNames.ModelItems), reason => Assert.Equal(Cached, reason));
        Assert.All(Reasons(result, StepNames.Plans), reason => Assert.Equal(Cached, reason));
    }

    [Fact]
    public void BrokenConfigTakesTheCodeAwayAndGivesItBack()
    {
        Run run = Run.First();
        AdditionalText broken = run.Replace(ModelFile.Shapes, "{").Replaced!;
        GeneratorRunResult result = run.Again();
        Assert.Empty(result.GeneratedSources);
        Assert.Equal([Modified], Reasons(result, StepNames.Plans));
        run.Driver = run.Driver.ReplaceAdditionalText(broken, ModelFile.Shapes);
        Assert.Single(run.Again().GeneratedSources);
    }

    /// <summary>Runs, edits, runs again, and compares the reasons: model items, models, all models, declarations, plans, output.</summary>
    private static void AssertReasons(Func<Run, Run> edit, params IncrementalStepRunReason[] expected)
    {
        GeneratorRunResult result = edit(Run.First()).Again();
        string[] names = [StepNames.ModelItems, StepNames.Models, StepNames.AllModels, StepNames.Declarations, StepNames.Plans];
        IncrementalStepRunReason[] found =
        [
            .. names.Select(name => Worst(Reasons(result, name))),
            Worst(result.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(step => step.Outputs).Select(output => output.Reason)),
        ];
        Assert.Equal(expected, found);
    }

    private static IEnumerable<IncrementalStepRunReason> Reasons(GeneratorRunResult result, string step) =>
        result.TrackedSteps[step].SelectMany(run => run.Outputs).Select(output => output.Reason);

    /// <summary>The reason that did most work; several models share a step.</summary>
    private static IncrementalStepRunReason Worst(IEnumerable<IncrementalStepRunReason> reasons)
    {
        IncrementalStepRunReason[] order = [Cached, Unchanged, Removed, Modified, New];
        return reasons.MaxBy(reason => Array.IndexOf(order, reason));
    }

    private static string Json(string from, string to)
    {
        Assert.Contains(from, ModelFile.Shapes.Json!, StringComparison.Ordinal);
        return ModelFile.Shapes.Json!.Replace(from, to, StringComparison.Ordinal);
    }

    private sealed class Run
    {
        private CSharpCompilation _compilation = Compiling.Compilation([("Declared.cs", Declared), ("Other.cs", Other)]);

        public GeneratorDriver Driver { get; set; } = Compiling.Driver(ModelFile.All);

        public ModelFile? Replaced { get; private set; }

        public static Run First()
        {
            var run = new Run();
            GeneratorRunResult result = run.Again();
            Assert.Single(result.GeneratedSources);
            Assert.All(Reasons(result, StepNames.Plans), reason => Assert.Equal(New, reason));
            return run;
        }

        public Run Edit(string path, string text)
        {
            SyntaxTree old = _compilation.SyntaxTrees.Single(tree => tree.FilePath == path);
            _compilation = _compilation.ReplaceSyntaxTree(old, CSharpSyntaxTree.ParseText(text, Compiling.ParseOptions, path));
            return this;
        }

        public Run Replace(ModelFile old, string json)
        {
            Replaced = new ModelFile(old.Name, json);
            Driver = Driver.ReplaceAdditionalText(old, Replaced);
            return this;
        }

        public GeneratorRunResult Again()
        {
            Driver = Driver.RunGenerators(_compilation);
            return Driver.GetRunResult().Results.Single();
        }
    }
}

using System.Collections.Immutable;
using Espalier.CodeFixes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Espalier.Tests;

/// <summary>Each fix writes what a person would, keeps comments and layout, and removes its diagnostic.</summary>
public sealed class CodeFixTests
{
    private const string Head = "using Espalier;\n\n";
    private const string Model = "[VisionLanguageModel(\"shapes\")]\n";
    private const string Class = "public sealed partial class C;\n";

    [Theory]
    [InlineData("/// <summary>Answers.</summary>\n" + Model + "public sealed class C;\n", "/// <summary>Answers.</summary>\n" + Model + "public sealed partial class C;\n")]
    [InlineData(Model + "class C { }\n", Model + "partial class C { }\n")]
    [InlineData("public static class Outer\n{\n    " + Model + "    public partial class C;\n}\n", "public static partial class Outer\n{\n    " + Model + "    public partial class C;\n}\n")]
    [InlineData("// Outer comment.\nstruct Outer\n{\n    " + Model + "    public partial class C;\n}\n", "// Outer comment.\npartial struct Outer\n{\n    " + Model + "    public partial class C;\n}\n")]
    public Task AddsPartial(string before, string after) => AssertFixes<AddPartialCodeFix>(before, after);

    [Theory]
    [InlineData("FreezeVisual(7, 5, 6, 5)", "FreezeVisual(5, 6, 7)")]
    [InlineData("FreezeVisual(5, 5)", "FreezeVisual(5)")]
    [InlineData("FreezeVisual(new[] { 7, 5 })", "FreezeVisual(5, 7)")]
    [InlineData("FreezeVisual(new int[] { 7, 5 })", "FreezeVisual(5, 7)")]
    [InlineData("ShortV(9, 2, 9)", "ShortV(2, 9)")]
    [InlineData("FreezeVisual(4 + 3, 5)", "FreezeVisual(5, 4 + 3)")]
    public Task OrdersLayers(string before, string after) => AssertFixes<OrderLayersCodeFix>(Policy(before), Policy(after));

    [Theory]
    [InlineData("FreezeVisual(3, 10)", "FreezeVisual(3, 9)")]
    [InlineData("FreezeVisual(-1, 3)", "FreezeVisual(0, 3)")]
    [InlineData("FreezeVisual(new[] { 3, 12 })", "FreezeVisual(new[] { 3, 9 })")]
    [InlineData("FreezeVisual(FirstLayer = 3, LastLayer = 99)", "FreezeVisual(FirstLayer = 3, LastLayer = 9)")]
    [InlineData("ExitVisual(AfterLayer = 10)", "ExitVisual(AfterLayer = 8)")]
    [InlineData("ExitVisual(AfterLayer = -1)", "ExitVisual(AfterLayer = 0)")]
    [InlineData("RandomPrune(AfterLayer = -2, Keep = 5)", "RandomPrune(AfterLayer = -1, Keep = 5)")]
    [InlineData("PyramidDrop(S = 1)", "PyramidDrop(S = 2)")]
    [InlineData("PyramidDrop(Lambda = 0.9, S = 40)", "PyramidDrop(Lambda = 0.9, S = 10)")]
    [InlineData("FastV(K = 0, R = 0.5)", "FastV(K = 1, R = 0.5)")]
    [InlineData("FastV(R = 0.5, K = 40)", "FastV(R = 0.5, K = 9)")]
    [InlineData("Vtw", "Vtw(K = 9)")]
    [InlineData("Vtw()", "Vtw(K = 9)")]
    public Task ClampsLayers(string before, string after) => AssertFixes<ClampLayerCodeFix>(Policy(before), Policy(after));

    [Fact]
    public Task RemovesAPolicyWithoutModel() => AssertFixes<RemovePolicyCodeFix>("/// <summary>Answers.</summary>\n[FastV(K = 2)]\n" + Class, "/// <summary>Answers.</summary>\n" + Class);

    [Theory]
    [InlineData("[ExitVisual(AfterLayer = 9)]\n", "")]
    [InlineData("[PruneVisual(AfterLayer = 2, Keep = 144)]\n", "")]
    [InlineData("[FreezeVisual]\n", "")]
    [InlineData("[ExitVisual(AfterLayer = 4)]\n[FastV(K = 7)]\n", "[ExitVisual(AfterLayer = 4)]\n")]
    [InlineData("[ExitVisual(AfterLayer = 4), Vtw(K = 7)]\n", "[ExitVisual(AfterLayer = 4)]\n")]
    [InlineData("[FastV(K = 3)]\n[PruneVisual(AfterLayer = 2, Keep = 10)]\n", "[FastV(K = 3)]\n")]
    [InlineData("[FreezeVisual(3, 4)]\n[ShortV(7, 4)]\n", "[FreezeVisual(3, 4)]\n[ShortV(7)]\n")]
    [InlineData("[FreezeVisual(3, 4)]\n[ShortV(4)]\n", "[FreezeVisual(3, 4)]\n")]
    [InlineData("[ExitVisual(AfterLayer = 4)]\n[ShortV(3, 5)]\n", "[ExitVisual(AfterLayer = 4)]\n[ShortV(3)]\n")]
    public Task RemovesPolicies(string before, string after) => AssertFixes<RemovePolicyCodeFix>(Model + before + Class, Model + after + Class);

    [Fact]
    public async Task DoesNotGuessWhichEndOfARangeToMove() =>
        Assert.Empty(await Actions(new RemovePolicyCodeFix(), Head + Model + "[ExitVisual(AfterLayer = 4)]\n[FreezeVisual(FirstLayer = 3, LastLayer = 6)]\n" + Class, "ESP0105"));

    [Fact]
    public void EveryFixIsExportedAndFixesKnownIds()
    {
        foreach (Type type in typeof(AddPartialCodeFix).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(CodeFixProvider)) && !type.IsAbstract))
        {
            Assert.NotEmpty(type.GetCustomAttributes(typeof(ExportCodeFixProviderAttribute), inherit: false));
            var fix = (CodeFixProvider)Activator.CreateInstance(type)!;
            Assert.Subset(Diagnostics.EspalierDiagnostics.All.Select(descriptor => descriptor.Id).ToHashSet(), fix.FixableDiagnosticIds.ToHashSet());
            Assert.NotNull(fix.GetFixAllProvider());
        }
    }

    private static string Policy(string policy) => Model + "[" + policy + "] // a note\n" + Class;

    private static async Task AssertFixes<TFix>(string before, string after)
        where TFix : CodeFixProvider, new()
    {
        var fix = new TFix();
        string source = Head + before;
        string id = (await Analyzing.Diagnose(source)).Select(diagnostic => diagnostic.Id).First(fix.FixableDiagnosticIds.Contains);
        (Document document, CodeAction action) = Assert.Single(await Actions(fix, source, id));
        ApplyChangesOperation change = Assert.IsType<ApplyChangesOperation>(Assert.Single(await action.GetOperationsAsync(CancellationToken.None)));
        string text = (await change.ChangedSolution.GetDocument(document.Id)!.GetTextAsync()).ToString();
        Assert.Equal(Head + after, text);
        Assert.DoesNotContain(await Analyzing.Diagnose(text), diagnostic => diagnostic.Id == id);
    }

    private static async Task<IReadOnlyList<(Document Document, CodeAction Action)>> Actions(CodeFixProvider fix, string source, string id)
    {
        using var workspace = new AdhocWorkspace();
        Project project = workspace.AddProject(ProjectInfo.Create(
            ProjectId.CreateNewId(), VersionStamp.Default, "Declared", "Declared", LanguageNames.CSharp,
            compilationOptions: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary),
            parseOptions: Compiling.ParseOptions,
            metadataReferences: Compiling.Compilation(source).References));
        Document document = workspace.AddDocument(project.Id, "Declared.cs", SourceText.From(source));
        var actions = new List<(Document, CodeAction)>();
        foreach (Diagnostic diagnostic in (await Analyzing.Diagnose(source)).Where(diagnostic => diagnostic.Id == id).Take(1))
        {
            await fix.RegisterCodeFixesAsync(new CodeFixContext(document, diagnostic, (action, _) => actions.Add((document, action)), CancellationToken.None));
        }

        return actions;
    }
}

using System.Runtime.CompilerServices;
using System.Text;
using Espalier.Calibration;
using Espalier.Imaging;
using Espalier.Planning;

namespace Espalier.Tests;

public sealed class PolicyCompilerTests
{
    private const string Pages = "https://github.com/espalier-net/espalier/blob/main/generator/docs/diagnostics/";

    private static readonly string Shapes = RepositoryFolder.Combine("samples", "models", "shapes");

    [Fact]
    public void APolicyBecomesItsPlanAndItsLoop()
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(Shapes, ["[FastV(K = 2, R = 0.5)] [Vtw(K = 9)]", ""]);
        CompiledPolicy reduced = compilation.Policies[0];
        Assert.True(reduced.IsValid);
        Assert.Empty(reduced.Diagnostics);
        Assert.Equal([144, 72, 0], reduced.Plan.Segments.Select(static segment => segment.VisualTokens));
        Assert.Contains("After layer 1: the 72 visual tokens with the highest scores stay", reduced.GeneratedSource, StringComparison.Ordinal);
        Assert.True(compilation.Policies[1].Plan!.IsDense);
    }

    [Fact]
    public async Task ALoadedPolicyAnswers()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Shapes);
        using PolicyCompilation compilation = PolicyCompiler.Compile(Shapes, ["[FastV(K = 2, R = 0.5)]"]);
        using VisionLanguageModel model = compilation.Policies[0].Load(checkpoint);
        using Sequence sequence = model.CreateSequence(256);
        var answer = new StringBuilder();
        await foreach (string text in model.AnswerAsync(sequence, ImageDecoder.Load(RepositoryFolder.Combine("samples", "images", "circle.png")), "what color is the circle ?"))
        {
            answer.Append(text);
        }

        Assert.Equal("red", answer.ToString().Trim());
        Assert.Equal(72, sequence.SurvivorsOf(0).Length);
    }

    [Theory]
    [InlineData("[FastV(K = 20, R = 0.5)]", "(1,8): error ESP0101: 'FastV(K = 20, R = 0.5)' names ", "ESP0101")]
    [InlineData("[PruneVisual(AfterLayer = 2, Keep = 500)]", "(1,30): error ESP0202: 'PruneVisual(AfterLayer = 2, Keep = 500)' keeps 500 visual tokens, but the model has 144", "ESP0202")]
    [InlineData("[FastV(K = 2, R = 0.5)]\n[Vtw(K = 3)]\n[ShortV(5, 6)]", "(3,9): error ESP0105", "ESP0105")]
    public void ARejectedPolicyIsExplainedAtItsArgument(string policy, string expected, string page)
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(Shapes, [policy]);
        CompiledPolicy rejected = compilation.Policies[0];
        Assert.False(rejected.IsValid);
        PolicyDiagnostic diagnostic = rejected.Diagnostics[0];
        Assert.StartsWith(expected, diagnostic.ToString(), StringComparison.Ordinal);
        Assert.Equal(Pages + page + ".md", diagnostic.HelpLink);
        using Checkpoint checkpoint = Checkpoint.Open(Shapes);
        Assert.Contains(page, Assert.Throws<PolicyRejectedException>(() => rejected.Load(checkpoint)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[FastW(K = 2)]", 2, "CS0246")]
    [InlineData("[FastV(L = 2)]", 8, "CS0246")]
    [InlineData("[FastV(K = \"two\")]", 12, "CS0029")]
    [InlineData("[FastV(K = 2, R = 0.5)", 23, "CS1003")]
    public void WhatIsNoCSharpIsTheCompilersError(string policy, int column, string id)
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(Shapes, [policy]);
        Assert.Contains(compilation.Policies[0].Diagnostics, diagnostic => diagnostic.Id == id && diagnostic.Line == 1 && diagnostic.Column == column && diagnostic.IsError);
    }

    [Theory]
    [InlineData("[System.Obsolete]", 2, 15)]
    [InlineData("[FastV(K = 2, R = 0.5), System.Serializable]", 25, 19)]
    public void AnAttributeThatIsNoPolicyIsRefused(string policy, int column, int length)
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(RepositoryFolder.Combine("samples", "models", "shapes"), [policy]);
        Assert.False(compilation.Policies[0].IsValid);
        Assert.Contains(compilation.Policies[0].Diagnostics, diagnostic => diagnostic.IsError && diagnostic.Column == column && diagnostic.Length == length && diagnostic.Message.Contains("is no policy", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("[FastV(K = 2, R = 0.5)] public class Other { static Other() => System.Environment.Exit(1); }", 25)]
    [InlineData("public class Other; [FastV(K = 2, R = 0.5)]", 1)]
    [InlineData("#define X", 2)]
    [InlineData("FastV(K = 2)", 1)]
    [InlineData("[FastV(K = 2, R = 0.5)]\n#pragma warning disable", 1)]
    [InlineData("[FastV(K = 2, R = 0.5)] enum E; namespace N;", 25)]
    public void TextThatIsMoreThanAttributesIsRejected(string policy, int column)
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(Shapes, [policy]);
        Assert.False(compilation.Policies[0].IsValid);
        Assert.Contains(compilation.Policies[0].Diagnostics, diagnostic => diagnostic.Column == column && (diagnostic.Id.Length == 0 || diagnostic.Id.StartsWith("CS", StringComparison.Ordinal)));
    }

    [Fact]
    public void ARejectedPolicyDoesNotKeepTheOthersFromRunning()
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(Shapes, ["[FastW]", "[Vtw(K = 9)]", "[Vtw(K = 99)]", "oops", "[Vtw(K = 8)] class X;"]);
        Assert.Equal([false, true, false, false, false], compilation.Policies.Select(static policy => policy.IsValid));
        Assert.Equal([144, 0], compilation.Policies[1].Plan!.Segments.Select(static segment => segment.VisualTokens));
        Assert.Contains(compilation.Policies[2].Diagnostics, static diagnostic => diagnostic.Id == "ESP0101");
    }

    [Fact]
    public void AWarningDoesNotKeepAPolicyFromRunning()
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(Shapes, ["[FreezeVisual(7, 5, 6)]"]);
        Assert.True(compilation.Policies[0].IsValid);
        Assert.Equal("ESP0109", Assert.Single(compilation.Policies[0].Diagnostics).Id);
    }

    [Fact]
    public void AFolderWithoutWeightsIsEnoughAndOneWithoutConfigIsNot()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<CheckpointFileMissingException>(() => PolicyCompiler.Compile(folder.Path, [""]));
        File.Copy(Path.Combine(Shapes, "config.json"), folder["config.json"]);
        using PolicyCompilation compilation = PolicyCompiler.Compile(folder.Path, [""]);
        Assert.Equal(144, compilation.Policies[0].Plan!.Geometry.VisualTokens);
        File.WriteAllText(folder["config.json"], "{");
        Assert.ThrowsAny<CheckpointException>(() => PolicyCompiler.Compile(folder.Path, [""]));
    }

    [Fact]
    public void TheAssemblyGoesWithTheCompilation()
    {
        WeakReference assembly = CompileAndForget();
        for (int i = 0; i < 20 && assembly.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(assembly.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference CompileAndForget()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Shapes);
        using PolicyCompilation compilation = PolicyCompiler.Compile(Shapes, ["[Vtw(K = 9)]"]);
        using VisionLanguageModel model = compilation.Policies[0].Load(checkpoint);
        return new WeakReference(model.GetType().Assembly);
    }
}

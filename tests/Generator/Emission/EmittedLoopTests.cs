using System.Reflection;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>The emitted class is compiled, loaded and run: its literal plan is the planner's, and its loops do what the plan says. The declarations of <see cref="ModelSnapshotTests"/> are run there.</summary>
public sealed class EmittedLoopTests
{
    [Theory]
    [InlineData("shapes", "")]
    [InlineData("shapes", "[FastV(K = 2, R = 0.5)]")]
    [InlineData("shapes", "[ShortV(9, 8, 5, 3)]")]
    [InlineData("shapes", "[Vtw(K = 8)]")]
    [InlineData("shapes", "[DyVte]")]
    [InlineData("shapes", "[DyVte] [ShortV(0)] [RandomPrune(AfterLayer = -1, Keep = 30)]")]
    [InlineData("shapes", "[DyVte] [PyramidDrop]")]
    [InlineData("shapes", "[FfnSkipLlm] [SepLlm(A = 0, N = 1)]")]
    [InlineData("shapes", "[SepLlm] [Vtw(K = 4)]")]
    [InlineData("shapes", "[FfnSkipLlm(Tau = 1, K = 1, ColdFirst = 0, ColdLast = 0, WarmUp = 0)] [FastV(K = 3)] [Vtw(K = 9)]")]
    [InlineData("shapes", "[FfnSkipLlm(Tau = -0.5, K = 9, ColdFirst = 3, ColdLast = 5, WarmUp = 1)] [FiCoCoL] [DyVte]")]
    [InlineData("shapes", "[Victor] [FastV(K = 2, R = 0.5)] [ShortV(0)]")]
    [InlineData("shapes", "[FastV(K = 2, R = 0.5)] [ShortV(5, 6, 7)] [Vtw(K = 9)]")]
    [InlineData("shapes", "[PruneVisual(AfterLayer = 6, KeepRatio = 0.25)] [PruneVisual(AfterLayer = 5, KeepRatio = 0.75)] [FreezeVisual(5, 6)]")]
    [InlineData("shapes", "[FreezeVisual(FirstLayer = 0, LastLayer = 9)]")]
    [InlineData("shapes", "[PruneVisual(AfterLayer = 0, Keep = 1)] [ExitVisual(AfterLayer = 1)]")]
    [InlineData("shapes", "[RandomPrune(AfterLayer = -1, Keep = 20, Seed = 3)] [RandomPrune(AfterLayer = 5, KeepRatio = 0.5, Seed = 1)] [FreezeVisual(5, 6)]")]
    [InlineData("shapes", "[PruneVisual<Ascending>(AfterLayer = -1, Keep = 30)] [PruneVisual<Ascending>(AfterLayer = 3, KeepRatio = 0.5)] [FreezeVisual(3)] [FastV(K = 6)]")]
    [InlineData("shapes", "[PyramidDrop] [ShortV(1, 2, 7)] [Vtw(K = 9)]")]
    [InlineData("shapes", "[PyramidDrop(Lambda = 0.9, S = 10)]")]
    [InlineData("llava-1.5-7b", "[PyramidDrop]")]
    [InlineData("shapes", "[FastV(Rows = FastVRows.Mean)] [PruneVisual(AfterLayer = 4, Keep = 9, Score = TokenScore.TextAttention)] [FreezeVisual(4)]")]
    [InlineData("llava-1.5-7b", "[FastV]")]
    [InlineData("llava-1.5-7b", "[SparseVlm(Tokens = 64)]")]
    [InlineData("llava-1.5-7b", "[SparseVlm(Scale = 9, Bias = 6)]")]
    [InlineData("llava-1.5-7b", "[SparseVlmPlus]")]
    [InlineData("shapes", "[SparseVlm(Layers = [1, 3], Keep = [70, 30])] [FreezeVisual(3)] [FastV(K = 5)]")]
    [InlineData("shapes", "[SparsityMeetsSimilarity(Round2 = SecondRound.None)] [SparseVlm(Layers = new[] { 1, 3 }, Keep = new[] { 70, 30 })] [Vtw(K = 8)]")]
    [InlineData("shapes", "[SparseVlm(Layers = [1, 3], Lambda = 0.5, Tau = 0)] [SparseVlmPlus(Layers = [5], Keep = [20], Heads = 3)]")]
    [InlineData("shapes", "[VisionZip(Dominant = 27, Contextual = 5)]")]
    [InlineData("shapes", "[VtcCls(Keep = 36, Layer = 2)]")]
    [InlineData("shapes", "[DivPrune] [FastV]")]
    [InlineData("shapes", "[GPrune(Iterations = 3)] [VtcCls(Keep = 100, Layer = 4)] [FastV(K = 1)] [Vtw(K = 5)]")]
    [InlineData("wide", "[GPrune(Keep = 1200, Threshold = 0.7)]")]
    [InlineData("wide", "[PruneVisual(AfterLayer = 2, Keep = 1152)] [PruneVisual(AfterLayer = 11, Keep = 288)]")]
    public void DoesWhatThePlanSays(string model, string policies)
    {
        Compilation output = Compile($"using Espalier; namespace Samples; [VisionLanguageModel(\"{model}\")] {policies} public sealed partial class Declared;");
        ReductionPlan plan = Loading.AssertRunsAsPlanned(output);
        Assert.Equal(ModelGeometryReader.Read(ModelFile.All.Single(file => file.Name == model).Json!).Geometry, plan.Geometry);
    }

    [Fact]
    public void TheLiteralPlanIsThePlannersToTheLastField()
    {
        Compilation output = Compile("using Espalier; [VisionLanguageModel(\"shapes\")] [FastV(K = 2, R = 0.5)] [ShortV(5, 6, 7)] [Vtw(K = 9)] public sealed partial class Declared;");
        ReductionPlan plan = Loading.PlanOf(Loading.Load(output).GetType("Declared", throwOnError: true)!);
        Assert.Equal(Plan(Shapes, FastV(2, 0.5), ShortV(5, 6, 7), Vtw(9)), plan);
    }

    [Fact]
    public void LoadIsTheOnlyWayIn()
    {
        Compilation output = Compile("using Espalier; [VisionLanguageModel(\"shapes\")] public sealed partial class Declared;");
        Type declared = Loading.Load(output).GetType("Declared", throwOnError: true)!;
        Assert.Empty(declared.GetConstructors());
        Assert.Equal(["Load", "get_Plan"], declared.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly).Select(method => method.Name).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(declared.GetCustomAttributesData(), attribute => attribute.AttributeType.Namespace == "Espalier");
    }

    private static Compilation Compile(string source)
    {
        Compiling.Generate(Compiling.Recording(source), out Compilation output);
        Compiling.AssertClean(output);
        return output;
    }
}

using Microsoft.CodeAnalysis;

namespace Espalier.Tests;

/// <summary>What the generator writes, reviewed as prose; each output compiles without a warning, and run on the recorder it does what its plan says.</summary>
public sealed class ModelSnapshotTests
{
    [Fact]
    public void Dense() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        public sealed partial class DenseShapes;
        """);

    [Fact]
    public void FastV() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class FastVShapes;
        """);

    [Fact]
    public void Int8() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes", Precision = Precision.Int8)]
        [Vtw(K = 8)]
        public sealed partial class SmallShapes;
        """);

    [Fact]
    public void ShortV() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [ShortV(9, 8, 5, 3)]
        public sealed partial class ShortVShapes;
        """);

    [Fact]
    public void Yopo() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FastV(K = 5, R = 0.5)]
        [ShortV(6)]
        [Yopo(FirstLayer = 2, LayerCut = 8)]
        [YopoHeads(0, 3, Layer = 3)]
        public sealed partial class YopoShapes;
        """);

    [Fact]
    public void RedundancyLens() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [RedundancyLens(7, 6, 4, 3, RA = 32)]
        public sealed partial class LensShapes;
        """);

    [Fact]
    public void Vtw() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Vtw(K = 8)]
        public sealed partial class VtwShapes;
        """);

    [Fact]
    public void Victor() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Victor(M = 8, K = 3)]
        public sealed partial class VictorShapes;
        """);

    [Fact]
    public void FfnSkipLlm() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FastV(K = 4, R = 0.5)]
        [FfnSkipLlm]
        public sealed partial class SkippingShapes;
        """);

    [Fact]
    public void SepLlm() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Vtw(K = 6)]
        [SepLlm(N = 32)]
        public sealed partial class SeparatedShapes;
        """);

    [Fact]
    public void SparseVlm() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [SparseVlm]
        public sealed partial class SparseLlava;
        """);

    [Fact]
    public void SparseVlmByRank() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [SparseVlm(Layers = [1, 3], Scale = 5)]
        public sealed partial class RankedShapes;
        """);

    [Fact]
    public void SparseVlmPlus() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [SparseVlmPlus(Layers = [1, 3], Keep = [72, 30], Heads = 3)]
        public sealed partial class CorrectedShapes;
        """);

    [Fact]
    public void DyVte() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [DyVte]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class DyVteShapes;
        """);

    [Fact]
    public void Aim() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Aim(Halvings = 1, L1 = 2, L2 = 5)]
        public sealed partial class MergedShapes;
        """);

    [Fact]
    public void Dart() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Dart(K = 2, R = 0.75)]
        public sealed partial class PivotShapes;
        """);

    [Fact]
    public void AimBehindACountOfTheImage() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PruMergePlus]
        [Aim(Halvings = 2, Order = AimOrder.Relative, L1 = 5, L2 = 7)]
        public sealed partial class MergedTwiceShapes;
        """);

    [Fact]
    public void AllTogether() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FastV(K = 2, R = 0.5)]
        [ShortV(5, 6, 7)]
        [Vtw(K = 9)]
        public sealed partial class QuickShapes;
        """);

    [Fact]
    public void Primitives() => Verify("""
        using Espalier;

        namespace Samples
        {
            [VisionLanguageModel("shapes")]
            [ExitVisual(AfterLayer = 7)]
            [FreezeVisual(FirstLayer = 4, LastLayer = 6)]
            [PruneVisual(AfterLayer = 2, Keep = 36, Score = TokenScore.LastQueryAttention)]
            internal partial class PrimitiveShapes
            {
            }
        }
        """);

    [Fact]
    public void TwoPrunesOneFromFrozenLayers() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PruneVisual(AfterLayer = 6, KeepRatio = 0.25)]
        [PruneVisual(AfterLayer = 1, KeepRatio = 0.75)]
        [FreezeVisual(5, 6)]
        public sealed partial class StagedShapes;
        """);

    [Fact]
    public void RandomPrune() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [RandomPrune(AfterLayer = -1, KeepRatio = 0.5, Seed = 7)]
        [RandomPrune(AfterLayer = 4, Keep = 9)]
        public sealed partial class RandomShapes;
        """);

    [Fact]
    public void Merge() => Verify("""
        using Espalier;

        namespace Samples;

        internal readonly struct FirstScorer : ITokenScorer
        {
            static void ITokenScorer.Score(in TokenScoreContext context, System.Span<float> scores) => scores.Fill(1);
        }

        [VisionLanguageModel("shapes")]
        [MergeVisual<FirstScorer>(AfterLayer = 2, Keep = 36)]
        public sealed partial class MergedShapes;
        """);

    [Fact]
    public void FiCoCoL() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [FiCoCoL]
        public sealed partial class CorrelatedLlava;
        """);

    [Fact]
    public void FiCoCoLBetweenOthers() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FreezeVisual(1)]
        [FiCoCoL(R = 6, StartLayer = 3, LastLayer = 6, Mode = FiCoCoMode.Code, Epsilon = 0.99)]
        [RandomPrune(AfterLayer = 5, KeepRatio = 0.5)]
        [ExitVisual(AfterLayer = 8)]
        public sealed partial class MixedShapes;
        """);

    [Fact]
    public void Scorer() => Verify("""
        using Espalier;

        namespace Samples;

        internal readonly struct NormScorer : ITokenScorer
        {
            public static void Score(in TokenScoreContext context, System.Span<float> scores)
            {
                for (int i = 0; i < context.Count; i++)
                {
                    foreach (float value in context.Row(i))
                    {
                        scores[i] += value * value;
                    }
                }
            }
        }

        [VisionLanguageModel("shapes")]
        [PruneVisual<NormScorer>(AfterLayer = 2, Keep = 36)]
        [FreezeVisual(4, 5)]
        [PruneVisual<@class.Of<int>>(AfterLayer = 5, KeepRatio = 0.25)]
        public sealed partial class ScoredShapes;

        internal static class @class
        {
            internal readonly struct Of<T> : ITokenScorer
            {
                static void ITokenScorer.Score(in TokenScoreContext context, System.Span<float> scores) => scores.Fill(context.Layer);
            }
        }
        """);

    [Fact]
    public void PyramidDrop() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PyramidDrop(Lambda = 0.5, S = 3)]
        public sealed partial class PyramidShapes;
        """);

    [Fact]
    public void FastVMean() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FastV(K = 2, R = 0.5, Rows = FastVRows.Mean)]
        [PruneVisual(AfterLayer = 4, Keep = 9, Score = TokenScore.TextAttention)]
        [FreezeVisual(3, 4)]
        public sealed partial class MeanShapes;
        """);

    [Fact]
    public void FreezeFirstLayer() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FreezeVisual(0)]
        public sealed partial class FirstFrozenShapes;
        """);

    [Fact]
    public void NestedClass() => Verify("""
        using Espalier;

        namespace Samples.@namespace;

        internal static partial class Outer
        {
            internal partial record struct Middle
            {
                [VisionLanguageModel("shapes")]
                [Vtw(K = 1)]
                private sealed partial class @class;
            }
        }
        """);

    [Fact]
    public void GlobalNamespace() => Verify(
        """
        using Espalier;

        [VisionLanguageModel("shapes")]
        [FastV]
        public sealed partial class GlobalShapes;
        """,
        allowUnsafe: false);

    [Fact]
    public void Llava15() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [FastV(K = 2, R = 0.5)]
        [ShortV(31, 29, 30, 28, 26, 27, 25, 24, 22, 23, 21, 20, 18, 17, 19)]
        public sealed partial class Llava15;
        """);

    [Fact]
    public void ManyTokens() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("wide")]
        [PruneVisual(AfterLayer = 2, Keep = 1152)]
        [PruneVisual(AfterLayer = 11, Keep = 288)]
        public sealed partial class WideModel;
        """);

    [Fact]
    public void FiCoCoV() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [FiCoCoV]
        public sealed partial class FilteredLlava;
        """);

    [Fact]
    public void ToMe() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [ToMe(R = 10, Inflection = 0.5)]
        [DivPrune(Keep = 60)]
        public sealed partial class MergedTower;
        """);

    [Fact]
    public void VisionZipWithoutCls() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("wide")]
        [VisionZip(Dominant = 162, Contextual = 30)]
        public sealed partial class ZippedSiglip;
        """);

    [Fact]
    public void VisionZip() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [VisionZip(Dominant = 27, Contextual = 5)]
        public sealed partial class ZippedShapes;
        """);

    [Fact]
    public void BothSitesBeforeTheDecoder() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [VtcCls(Keep = 288)]
        [GPrune]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class ThriceReducedLlava;
        """);

    [Fact]
    public void SparsityMeetsSimilarity() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [SparsityMeetsSimilarity(AtMost = 0.5, Round2 = SecondRound.VisualAndText)]
        [FastV(K = 5, R = 0.5)]
        [Vtw(K = 8)]
        public sealed partial class SimilarShapes;
        """);

    [Fact]
    public void PruMerge() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PruMerge]
        [CDPruner(Keep = 16)]
        [PyramidDrop(Lambda = 0.5, S = 3)]
        public sealed partial class MergedOutliers;
        """);

    [Fact]
    public void PruneAndMerge() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PruneAndMerge(1, 2, 4, Keep = 72)]
        public sealed partial class StaticShapes;
        """);

    [Fact]
    public void Elip() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Elip(1, 3, Ratios = new[] { 0.7, 0.4 })]
        [Vtw(K = 8)]
        public sealed partial class ForesightedShapes;
        """);

    [Fact]
    public void RecoverableCompression() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [RecoverableCompression(Neighbours = 8)]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class RecoveredShapes;
        """);

    [Fact]
    public void FoPru() => Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FoPru(Keep = 36, Strategy = FoPruStrategy.Row)]
        public sealed partial class FocalShapes;
        """);

    private static void Verify(string source, bool allowUnsafe = true, [System.Runtime.CompilerServices.CallerMemberName] string method = "", [System.Runtime.CompilerServices.CallerFilePath] string file = "")
    {
        GeneratorRunResult result = Compiling.Generate(Compiling.Compilation(source, allowUnsafe), out Compilation output);
        Compiling.AssertClean(output);
        Compiling.Generate(Compiling.Recording(source, allowUnsafe), out Compilation recording);
        Loading.AssertRunsAsPlanned(recording);
        SnapshotVerifier.Verify(result, file, method);
    }
}

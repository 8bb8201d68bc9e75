namespace Espalier.Tests;

/// <summary>Primitives, own scorers, and all the places that a class can be declared in.</summary>
public sealed class DeclarationSnapshotTests
{
    [Fact]
    public void Int8() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes", Precision = Precision.Int8)]
        [Vtw(K = 8)]
        public sealed partial class SmallShapes;
        """);

    [Fact]
    public void Primitives() => ModelSnapshot.Verify("""
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
    public void TwoPrunesOneFromFrozenLayers() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PruneVisual(AfterLayer = 6, KeepRatio = 0.25)]
        [PruneVisual(AfterLayer = 1, KeepRatio = 0.75)]
        [FreezeVisual(5, 6)]
        public sealed partial class StagedShapes;
        """);

    [Fact]
    public void RandomPrune() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [RandomPrune(AfterLayer = -1, KeepRatio = 0.5, Seed = 7)]
        [RandomPrune(AfterLayer = 4, Keep = 9)]
        public sealed partial class RandomShapes;
        """);

    [Fact]
    public void Merge() => ModelSnapshot.Verify("""
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
    public void Scorer() => ModelSnapshot.Verify("""
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
    public void FreezeFirstLayer() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FreezeVisual(0)]
        public sealed partial class FirstFrozenShapes;
        """);

    [Fact]
    public void NestedClass() => ModelSnapshot.Verify("""
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
    public void GlobalNamespace() => ModelSnapshot.Verify(
        """
        using Espalier;

        [VisionLanguageModel("shapes")]
        [FastV]
        public sealed partial class GlobalShapes;
        """,
        allowUnsafe: false);

    [Fact]
    public void ManyTokens() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("wide")]
        [PruneVisual(AfterLayer = 2, Keep = 1152)]
        [PruneVisual(AfterLayer = 11, Keep = 288)]
        public sealed partial class WideModel;
        """);
}

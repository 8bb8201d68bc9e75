namespace Espalier.Tests;

/// <summary>Methods in the decoder, and several together.</summary>
public sealed class ModelSnapshotTests
{
    [Fact]
    public void Dense() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        public sealed partial class DenseShapes;
        """);

    [Fact]
    public void FastV() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class FastVShapes;
        """);

    [Fact]
    public void ShortV() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [ShortV(9, 8, 5, 3)]
        public sealed partial class ShortVShapes;
        """);

    [Fact]
    public void Yopo() => ModelSnapshot.Verify("""
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
    public void RedundancyLens() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [RedundancyLens(7, 6, 4, 3, RA = 32)]
        public sealed partial class LensShapes;
        """);

    [Fact]
    public void Vtw() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Vtw(K = 8)]
        public sealed partial class VtwShapes;
        """);

    [Fact]
    public void Victor() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Victor(M = 8, K = 3)]
        public sealed partial class VictorShapes;
        """);

    [Fact]
    public void FfnSkipLlm() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FastV(K = 4, R = 0.5)]
        [FfnSkipLlm]
        public sealed partial class SkippingShapes;
        """);

    [Fact]
    public void SepLlm() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Vtw(K = 6)]
        [SepLlm(N = 32)]
        public sealed partial class SeparatedShapes;
        """);

    [Fact]
    public void SparseVlm() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [SparseVlm]
        public sealed partial class SparseLlava;
        """);

    [Fact]
    public void SparseVlmByRank() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [SparseVlm(Layers = [1, 3], Scale = 5)]
        public sealed partial class RankedShapes;
        """);

    [Fact]
    public void SparseVlmPlus() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [SparseVlmPlus(Layers = [1, 3], Keep = [72, 30], Heads = 3)]
        public sealed partial class CorrectedShapes;
        """);

    [Fact]
    public void DyVte() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [DyVte]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class DyVteShapes;
        """);

    [Fact]
    public void Aim() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Aim(Halvings = 1, L1 = 2, L2 = 5)]
        public sealed partial class MergedShapes;
        """);

    [Fact]
    public void Dart() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Dart(K = 2, R = 0.75)]
        public sealed partial class PivotShapes;
        """);

    [Fact]
    public void AllTogether() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FastV(K = 2, R = 0.5)]
        [ShortV(5, 6, 7)]
        [Vtw(K = 9)]
        public sealed partial class QuickShapes;
        """);

    [Fact]
    public void FiCoCoL() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [FiCoCoL]
        public sealed partial class CorrelatedLlava;
        """);

    [Fact]
    public void FiCoCoLBetweenOthers() => ModelSnapshot.Verify("""
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
    public void FiCoCoLSoftmax() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FiCoCoL(R = 12, StartLayer = 6, Redundancy = FiCoCoRedundancy.SoftmaxColumns)]
        public sealed partial class AttendedShapes;
        """);

    [Fact]
    public void PyramidDrop() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PyramidDrop(Lambda = 0.5, S = 3)]
        public sealed partial class PyramidShapes;
        """);

    [Fact]
    public void FastVMean() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FastV(K = 2, R = 0.5, Rows = FastVRows.Mean)]
        [PruneVisual(AfterLayer = 4, Keep = 9, Score = TokenScore.TextAttention)]
        [FreezeVisual(3, 4)]
        public sealed partial class MeanShapes;
        """);

    [Fact]
    public void Llava15() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [FastV(K = 2, R = 0.5)]
        [ShortV(31, 29, 30, 28, 26, 27, 25, 24, 22, 23, 21, 20, 18, 17, 19)]
        public sealed partial class Llava15;
        """);
}

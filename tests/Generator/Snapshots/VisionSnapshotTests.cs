namespace Espalier.Tests;

/// <summary>Methods before the decoder: inside the vision tower, at its output, behind the projector.</summary>
public sealed class VisionSnapshotTests
{
    [Fact]
    public void AimBehindACountOfTheImage() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PruMergePlus]
        [Aim(Halvings = 2, Order = AimOrder.Relative, L1 = 5, L2 = 7)]
        public sealed partial class MergedTwiceShapes;
        """);

    [Fact]
    public void FiCoCoV() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [FiCoCoV]
        public sealed partial class FilteredLlava;
        """);

    [Fact]
    public void ToMe() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [ToMe(R = 10, Inflection = 0.5)]
        [DivPrune(Keep = 60)]
        public sealed partial class MergedTower;
        """);

    [Fact]
    public void VisionZipWithoutCls() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("wide")]
        [VisionZip(Dominant = 162, Contextual = 30)]
        public sealed partial class ZippedSiglip;
        """);

    [Fact]
    public void VisionZip() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [VisionZip(Dominant = 27, Contextual = 5)]
        public sealed partial class ZippedShapes;
        """);

    [Fact]
    public void BothSitesBeforeTheDecoder() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("llava-1.5-7b")]
        [VtcCls(Keep = 288)]
        [GPrune]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class ThriceReducedLlava;
        """);

    [Fact]
    public void SparsityMeetsSimilarity() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [SparsityMeetsSimilarity(AtMost = 0.5, Round2 = SecondRound.VisualAndText)]
        [FastV(K = 5, R = 0.5)]
        [Vtw(K = 8)]
        public sealed partial class SimilarShapes;
        """);

    [Fact]
    public void PruMerge() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PruMerge]
        [CDPruner(Keep = 16)]
        [PyramidDrop(Lambda = 0.5, S = 3)]
        public sealed partial class MergedOutliers;
        """);

    [Fact]
    public void PruneAndMerge() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [PruneAndMerge(1, 2, 4, Keep = 72)]
        public sealed partial class StaticShapes;
        """);

    [Fact]
    public void Elip() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [Elip(1, 3, Ratios = new[] { 0.7, 0.4 })]
        [Vtw(K = 8)]
        public sealed partial class ForesightedShapes;
        """);

    [Fact]
    public void RecoverableCompression() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [RecoverableCompression(Neighbours = 8)]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class RecoveredShapes;
        """);

    [Fact]
    public void FoPru() => ModelSnapshot.Verify("""
        using Espalier;

        namespace Samples;

        [VisionLanguageModel("shapes")]
        [FoPru(Keep = 36, Strategy = FoPruStrategy.Row)]
        public sealed partial class FocalShapes;
        """);
}

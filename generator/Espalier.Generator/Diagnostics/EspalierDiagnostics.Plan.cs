using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Espalier.Planning;

namespace Espalier.Diagnostics;

/// <content>What is wrong with the policies of a class.</content>
internal static partial class EspalierDiagnostics
{
    /// <summary>A layer is out of range.</summary>
    public static readonly DiagnosticDescriptor LayerOutOfRange = new(
        id: "ESP0101",
        title: "A layer is out of range",
        messageFormat: PlanMessages.LayerOutOfRange,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0101"));

    /// <summary>No layer runs before the prune.</summary>
    public static readonly DiagnosticDescriptor NoLayerBeforePrune = new(
        id: "ESP0102",
        title: "No layer runs before the prune",
        messageFormat: PlanMessages.NoLayerBeforePrune,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0102"));

    /// <summary>No layer runs behind the reduction.</summary>
    public static readonly DiagnosticDescriptor NoLayerAfterReduction = new(
        id: "ESP0103",
        title: "No layer runs behind the reduction",
        messageFormat: PlanMessages.NoLayerAfterReduction,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0103"));

    /// <summary>Visual tokens are pruned after they left.</summary>
    public static readonly DiagnosticDescriptor PruneAfterExit = new(
        id: "ESP0104",
        title: "Visual tokens are pruned after they left",
        messageFormat: PlanMessages.PruneAfterExit,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0104"));

    /// <summary>Visual tokens are frozen after they left.</summary>
    public static readonly DiagnosticDescriptor FreezeAfterExit = new(
        id: "ESP0105",
        title: "Visual tokens are frozen after they left",
        messageFormat: PlanMessages.FreezeAfterExit,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0105"));

    /// <summary>Visual tokens leave twice.</summary>
    public static readonly DiagnosticDescriptor SecondExit = new(
        id: "ESP0106",
        title: "Visual tokens leave twice",
        messageFormat: PlanMessages.SecondExit,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0106"));

    /// <summary>A layer is frozen twice.</summary>
    public static readonly DiagnosticDescriptor FrozenTwice = new(
        id: "ESP0107",
        title: "A layer is frozen twice",
        messageFormat: PlanMessages.FrozenTwice,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0107"));

    /// <summary>Two prunes share a boundary.</summary>
    public static readonly DiagnosticDescriptor SecondPruneAtBoundary = new(
        id: "ESP0108",
        title: "Two prunes share a boundary",
        messageFormat: PlanMessages.SecondPruneAtBoundary,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0108"));

    /// <summary>Layers are not in ascending order.</summary>
    public static readonly DiagnosticDescriptor LayersNotAscending = new(
        id: "ESP0109",
        title: "Layers are not in ascending order",
        messageFormat: PlanMessages.LayersNotAscending,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0109"));

    /// <summary>No layer is frozen.</summary>
    public static readonly DiagnosticDescriptor NoLayers = new(
        id: "ESP0110",
        title: "No layer is frozen",
        messageFormat: PlanMessages.NoLayers,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0110"));

    /// <summary>A range of layers is unclear.</summary>
    public static readonly DiagnosticDescriptor RangeUnclear = new(
        id: "ESP0111",
        title: "A range of layers is unclear",
        messageFormat: PlanMessages.RangeUnclear,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0111"));

    /// <summary>The layers cannot be divided so.</summary>
    public static readonly DiagnosticDescriptor StagesOutOfRange = new(
        id: "ESP0112",
        title: "The layers cannot be divided so",
        messageFormat: PlanMessages.StagesOutOfRange,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0112"));

    /// <summary>A layer is frozen in which tokens are merged.</summary>
    public static readonly DiagnosticDescriptor FrozenWhereMerged = new(
        id: "ESP0113",
        title: "A layer is frozen in which tokens are merged",
        messageFormat: PlanMessages.FrozenWhereMerged,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0113"));

    /// <summary>A score comes from a layer in which tokens are merged.</summary>
    public static readonly DiagnosticDescriptor ScoredWhereMerged = new(
        id: "ESP0114",
        title: "A score comes from a layer in which tokens are merged",
        messageFormat: PlanMessages.ScoredWhereMerged,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0114"));

    /// <summary>A fixed number of tokens is merged where the image says how many there are.</summary>
    public static readonly DiagnosticDescriptor MergesUnknownCount = new(
        id: "ESP0115",
        title: "A fixed number of tokens is merged where the image says how many there are",
        messageFormat: PlanMessages.MergesUnknownCount,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0115"));

    /// <summary>Two reductions share a site before the decoder.</summary>
    public static readonly DiagnosticDescriptor SecondStepAtSite = new(
        id: "ESP0121",
        title: "Two reductions share a site before the decoder",
        messageFormat: PlanMessages.SecondStepAtSite,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0121"));

    /// <summary>The CLS attention cannot be had.</summary>
    public static readonly DiagnosticDescriptor NoClsAttention = new(
        id: "ESP0122",
        title: "The CLS attention cannot be had",
        messageFormat: PlanMessages.NoClsAttention,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0122"));

    /// <summary>A layer of the vision tower is out of range.</summary>
    public static readonly DiagnosticDescriptor TowerLayerOutOfRange = new(
        id: "ESP0123",
        title: "A layer of the vision tower is out of range",
        messageFormat: PlanMessages.TowerLayerOutOfRange,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0123"));

    /// <summary>Two reductions share layers of the vision tower.</summary>
    public static readonly DiagnosticDescriptor TowerReducedTwice = new(
        id: "ESP0141",
        title: "Two reductions share layers of the vision tower",
        messageFormat: PlanMessages.TowerReducedTwice,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0141"));

    /// <summary>A layer is frozen by whose attention tokens are ranked.</summary>
    public static readonly DiagnosticDescriptor FrozenWhereRanked = new(
        id: "ESP0119",
        title: "A layer is frozen by whose attention tokens are ranked",
        messageFormat: PlanMessages.FrozenWhereRanked,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0119"));

    /// <summary>A reduction lies behind the layers of the vision tower that run.</summary>
    public static readonly DiagnosticDescriptor TowerReductionOutOfRange = new(
        id: "ESP0142",
        title: "A reduction lies behind the layers of the vision tower that run",
        messageFormat: PlanMessages.TowerReductionOutOfRange,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0142"));

    /// <summary>Attention is read where tokens leave.</summary>
    public static readonly DiagnosticDescriptor ScoresOfReducedLayers = new(
        id: "ESP0143",
        title: "Attention is read where tokens leave",
        messageFormat: PlanMessages.ScoresOfReducedLayers,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0143"));

    /// <summary>Nothing can be reduced inside the vision tower.</summary>
    public static readonly DiagnosticDescriptor TowerNotReducible = new(
        id: "ESP0144",
        title: "Nothing can be reduced inside the vision tower",
        messageFormat: PlanMessages.TowerNotReducible,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0144"));

    /// <summary>No visual token is kept.</summary>
    public static readonly DiagnosticDescriptor KeepNotPositive = new(
        id: "ESP0201",
        title: "No visual token is kept",
        messageFormat: PlanMessages.KeepNotPositive,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0201"));

    /// <summary>More visual tokens are kept than the model has.</summary>
    public static readonly DiagnosticDescriptor KeepExceedsModel = new(
        id: "ESP0202",
        title: "More visual tokens are kept than the model has",
        messageFormat: PlanMessages.KeepExceedsModel,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0202"));

    /// <summary>The count of visual tokens rises.</summary>
    public static readonly DiagnosticDescriptor KeepRises = new(
        id: "ESP0203",
        title: "The count of visual tokens rises",
        messageFormat: PlanMessages.KeepRises,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0203"));

    /// <summary>All visual tokens are kept.</summary>
    public static readonly DiagnosticDescriptor KeepsAll = new(
        id: "ESP0204",
        title: "All visual tokens are kept",
        messageFormat: PlanMessages.KeepsAll,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0204"));

    /// <summary>A ratio is not between 0 and 1.</summary>
    public static readonly DiagnosticDescriptor RatioOutOfRange = new(
        id: "ESP0205",
        title: "A ratio is not between 0 and 1",
        messageFormat: PlanMessages.RatioOutOfRange,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0205"));

    /// <summary>A prune needs either a count or a ratio.</summary>
    public static readonly DiagnosticDescriptor KeepUnclear = new(
        id: "ESP0206",
        title: "A prune needs either a count or a ratio",
        messageFormat: PlanMessages.KeepUnclear,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0206"));

    /// <summary>A score does not exist.</summary>
    public static readonly DiagnosticDescriptor UnknownScore = new(
        id: "ESP0207",
        title: "A score does not exist",
        messageFormat: PlanMessages.UnknownScore,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0207"));

    /// <summary>A number is out of range.</summary>
    public static readonly DiagnosticDescriptor NumberOutOfRange = new(
        id: "ESP0221",
        title: "A number is out of range",
        messageFormat: PlanMessages.NumberOutOfRange,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0221"));

    /// <summary>A count and a share contradict each other.</summary>
    public static readonly DiagnosticDescriptor CountAndShare = new(
        id: "ESP0222",
        title: "A count and a share contradict each other",
        messageFormat: PlanMessages.CountAndShare,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0222"));

    /// <summary>A choice does not exist.</summary>
    public static readonly DiagnosticDescriptor UnknownChoice = new(
        id: "ESP0223",
        title: "A choice does not exist",
        messageFormat: PlanMessages.UnknownChoice,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0223"));

    /// <summary>Bounds of a count are crossed.</summary>
    public static readonly DiagnosticDescriptor BoundsCrossed = new(
        id: "ESP0224",
        title: "The bounds of a count are crossed",
        messageFormat: PlanMessages.BoundsCrossed,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0224"));

    /// <summary>Counts and layers do not go together.</summary>
    public static readonly DiagnosticDescriptor CountsUnlikeLayers = new(
        id: "ESP0225",
        title: "There is not one count a layer",
        messageFormat: PlanMessages.CountsUnlikeLayers,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0225"));

    /// <summary>A published table is for another model.</summary>
    public static readonly DiagnosticDescriptor TableOfAnotherModel = new(
        id: "ESP0226",
        title: "A published table is for another model",
        messageFormat: PlanMessages.TableOfAnotherModel,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0226"));

    /// <summary>Visual tokens may have left by a gate.</summary>
    public static readonly DiagnosticDescriptor NotBehindGates = new(
        id: "ESP0117",
        title: "Visual tokens may have left by a gate",
        messageFormat: PlanMessages.NotBehindGates,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0117"));

    /// <summary>Two policies say what decode steps leave out.</summary>
    public static readonly DiagnosticDescriptor DecodeCutTwice = new(
        id: "ESP0118",
        title: "Decode steps are cut twice",
        messageFormat: PlanMessages.DecodeCutTwice,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0118"));

    /// <summary>Registers save nothing.</summary>
    public static readonly DiagnosticDescriptor RegistersSaveNothing = new(
        id: "ESP0231",
        title: "Registers save nothing",
        messageFormat: PlanMessages.RegistersSaveNothing,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0231"));

    /// <summary>What is wrong with the policies of a class.</summary>
    public static readonly ImmutableArray<DiagnosticDescriptor> Plan = ImmutableArray.Create(
        LayerOutOfRange,
        NoLayerBeforePrune,
        NoLayerAfterReduction,
        PruneAfterExit,
        FreezeAfterExit,
        SecondExit,
        FrozenTwice,
        SecondPruneAtBoundary,
        LayersNotAscending,
        NoLayers,
        RangeUnclear,
        StagesOutOfRange,
        FrozenWhereMerged,
        ScoredWhereMerged,
        MergesUnknownCount,
        FrozenWhereRanked,
        SecondStepAtSite,
        NoClsAttention,
        TowerLayerOutOfRange,
        TowerReducedTwice,
        TowerReductionOutOfRange,
        ScoresOfReducedLayers,
        TowerNotReducible,
        KeepNotPositive,
        KeepExceedsModel,
        KeepRises,
        KeepsAll,
        RatioOutOfRange,
        KeepUnclear,
        UnknownScore,
        NumberOutOfRange,
        CountAndShare,
        UnknownChoice,
        BoundsCrossed,
        CountsUnlikeLayers,
        TableOfAnotherModel,
        RegistersSaveNothing,
        NotBehindGates,
        DecodeCutTwice,
        PartialTwice,
        PartialWhereTreated,
        PartialAfterExit,
        NeighboursUnknown,
        PartialSavesNothing);
}

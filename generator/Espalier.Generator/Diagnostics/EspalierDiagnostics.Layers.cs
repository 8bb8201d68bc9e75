using System.Collections.Immutable;
using Espalier.Planning;
using Microsoft.CodeAnalysis;

namespace Espalier.Diagnostics;

/// <content>What is wrong with the decoder layers that policies name.</content>
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

    /// <summary>A layer is frozen by whose attention tokens are ranked.</summary>
    public static readonly DiagnosticDescriptor FrozenWhereRanked = new(
        id: "ESP0119",
        title: "A layer is frozen by whose attention tokens are ranked",
        messageFormat: PlanMessages.FrozenWhereRanked,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0119"));

    private static readonly ImmutableArray<DiagnosticDescriptor> Layers = ImmutableArray.Create(
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
        NotBehindGates,
        DecodeCutTwice,
        FrozenWhereRanked);
}

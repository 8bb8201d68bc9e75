using System.Collections.Immutable;
using Espalier.Planning;
using Microsoft.CodeAnalysis;

namespace Espalier.Diagnostics;

/// <content>What is wrong with reductions before the decoder.</content>
internal static partial class EspalierDiagnostics
{
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

    private static readonly ImmutableArray<DiagnosticDescriptor> Vision = ImmutableArray.Create(
        SecondStepAtSite,
        NoClsAttention,
        TowerLayerOutOfRange,
        TowerReducedTwice,
        TowerReductionOutOfRange,
        ScoresOfReducedLayers,
        TowerNotReducible);
}

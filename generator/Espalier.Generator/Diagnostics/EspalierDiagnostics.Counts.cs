using System.Collections.Immutable;
using Espalier.Planning;
using Microsoft.CodeAnalysis;

namespace Espalier.Diagnostics;

/// <content>What is wrong with counts, shares and other numbers of policies.</content>
internal static partial class EspalierDiagnostics
{
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

    /// <summary>Registers save nothing.</summary>
    public static readonly DiagnosticDescriptor RegistersSaveNothing = new(
        id: "ESP0231",
        title: "Registers save nothing",
        messageFormat: PlanMessages.RegistersSaveNothing,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0231"));

    private static readonly ImmutableArray<DiagnosticDescriptor> Counts = ImmutableArray.Create(
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
        RegistersSaveNothing);
}

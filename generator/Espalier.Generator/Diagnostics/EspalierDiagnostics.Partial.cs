using System.Collections.Immutable;
using Espalier.Planning;
using Microsoft.CodeAnalysis;

namespace Espalier.Diagnostics;

/// <content>What is wrong with policies by which visual tokens do less work.</content>
internal static partial class EspalierDiagnostics
{
    /// <summary>Two policies say the same of a layer's visual tokens.</summary>
    public static readonly DiagnosticDescriptor PartialTwice = new(
        id: "ESP0151",
        title: "Two policies say the same of a layer's visual tokens",
        messageFormat: PlanMessages.PartialTwice,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0151"));

    /// <summary>Visual tokens do less work where they are treated otherwise.</summary>
    public static readonly DiagnosticDescriptor PartialWhereTreated = new(
        id: "ESP0152",
        title: "Visual tokens do less work where they are treated otherwise",
        messageFormat: PlanMessages.PartialWhereTreated,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0152"));

    /// <summary>Visual tokens do less work after they left.</summary>
    public static readonly DiagnosticDescriptor PartialAfterExit = new(
        id: "ESP0153",
        title: "Visual tokens do less work after they left",
        messageFormat: PlanMessages.PartialAfterExit,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0153"));

    /// <summary>Neighbours on the patch grid cannot be told.</summary>
    public static readonly DiagnosticDescriptor NeighboursUnknown = new(
        id: "ESP0154",
        title: "Neighbours on the patch grid cannot be told",
        messageFormat: PlanMessages.NeighboursUnknown,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0154"));

    /// <summary>Visual tokens have as much work as before.</summary>
    public static readonly DiagnosticDescriptor PartialSavesNothing = new(
        id: "ESP0155",
        title: "Visual tokens have as much work as before",
        messageFormat: PlanMessages.PartialSavesNothing,
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0155"));

    /// <summary>Parts of quantised weights are wanted.</summary>
    public static readonly DiagnosticDescriptor PartsOfQuantisedWeights = new(
        id: "ESP0156",
        title: "Quantised weights are not multiplied in parts",
        messageFormat: "'{0}' declares the precision {1}, but its policies let visual tokens multiply parts of the decoder's weights, which are quantised as a whole",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0156"));

    private static readonly ImmutableArray<DiagnosticDescriptor> Partial = ImmutableArray.Create(
        PartialTwice,
        PartialWhereTreated,
        PartialAfterExit,
        NeighboursUnknown,
        PartialSavesNothing);
}

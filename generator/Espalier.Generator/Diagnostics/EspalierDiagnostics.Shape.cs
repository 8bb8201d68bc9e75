using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace Espalier.Diagnostics;

/// <content>What is wrong with a class.</content>
internal static partial class EspalierDiagnostics
{
    /// <summary>A vision-language model must be partial.</summary>
    public static readonly DiagnosticDescriptor NotPartial = new(
        id: "ESP0001",
        title: "A vision-language model must be partial",
        messageFormat: "'{0}' must be partial: the generator adds its plan and its forward loop to it",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0001"));

    /// <summary>A vision-language model must be an ordinary class.</summary>
    public static readonly DiagnosticDescriptor UnsupportedClass = new(
        id: "ESP0002",
        title: "A vision-language model must be an ordinary class",
        messageFormat: "'{0}' {1}; a vision-language model must be an ordinary class",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0002"));

    /// <summary>A vision-language model cannot be generic.</summary>
    public static readonly DiagnosticDescriptor Generic = new(
        id: "ESP0003",
        title: "A vision-language model cannot be generic",
        messageFormat: "'{0}' cannot be a vision-language model: {1}",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0003"));

    /// <summary>The types around a vision-language model must be partial.</summary>
    public static readonly DiagnosticDescriptor ContainingTypeNotPartial = new(
        id: "ESP0004",
        title: "The types around a vision-language model must be partial",
        messageFormat: "'{0}' lies in '{1}', which must be partial so that the generator can add to '{0}'",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0004"));

    /// <summary>A vision-language model cannot have another base class.</summary>
    public static readonly DiagnosticDescriptor HasBaseClass = new(
        id: "ESP0005",
        title: "A vision-language model cannot have another base class",
        messageFormat: "'{0}' derives from '{1}', but the generator derives it from Espalier.VisionLanguageModel",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0005"));

    /// <summary>A policy needs a vision-language model.</summary>
    public static readonly DiagnosticDescriptor PolicyWithoutModel = new(
        id: "ESP0006",
        title: "A policy needs a vision-language model",
        messageFormat: "'{0}' on '{1}' has no effect without [VisionLanguageModel]",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0006"));

    /// <summary>A scorer cannot be called.</summary>
    public static readonly DiagnosticDescriptor UnusableScorer = new(
        id: "ESP0007",
        title: "A scorer cannot be called",
        messageFormat: "'{0}' cannot rank visual tokens: {1}",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0007"));

    /// <summary>A precision does not exist.</summary>
    public static readonly DiagnosticDescriptor UnknownPrecision = new(
        id: "ESP0008",
        title: "A precision does not exist",
        messageFormat: "'{0}' declares the precision {1}, which is not a member of Precision",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0008"));

    /// <summary>A member collides with a generated one.</summary>
    public static readonly DiagnosticDescriptor MemberCollides = new(
        id: "ESP0009",
        title: "A member collides with a generated one",
        messageFormat: "'{0}' has {1}, but the generator adds {2}",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0009"));

    /// <summary>What is wrong with a class.</summary>
    public static readonly ImmutableArray<DiagnosticDescriptor> Shape = ImmutableArray.Create(
        NotPartial,
        UnsupportedClass,
        Generic,
        ContainingTypeNotPartial,
        HasBaseClass,
        PolicyWithoutModel,
        UnusableScorer,
        UnknownPrecision,
        MemberCollides);
}

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace Espalier.Diagnostics;

/// <content>What is wrong with the project around a class, and what its plan costs.</content>
internal static partial class EspalierDiagnostics
{
    /// <summary>The project has no such model.</summary>
    public static readonly DiagnosticDescriptor ModelNotFound = new(
        id: "ESP0301",
        title: "The project has no such model",
        messageFormat: "The project declares no model named '{0}'; it declares {1}",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0301"));

    /// <summary>A config.json cannot be read.</summary>
    public static readonly DiagnosticDescriptor ConfigUnreadable = new(
        id: "ESP0302",
        title: "A config.json cannot be read",
        messageFormat: "The config.json of model '{0}' cannot be read: '{1}'",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0302"));

    /// <summary>A config.json is malformed.</summary>
    public static readonly DiagnosticDescriptor ConfigMalformed = new(
        id: "ESP0303",
        title: "A config.json is malformed",
        messageFormat: "The config.json of model '{0}' is malformed: {1}",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0303"));

    /// <summary>A model cannot be run.</summary>
    public static readonly DiagnosticDescriptor ConfigRejected = new(
        id: "ESP0304",
        title: "A model cannot be run",
        messageFormat: "The model '{0}' cannot be run because of its config.json: {1}",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0304"));

    /// <summary>Two models have one name.</summary>
    public static readonly DiagnosticDescriptor ModelAmbiguous = new(
        id: "ESP0305",
        title: "Two models have one name",
        messageFormat: "The project declares model '{0}' more than once: {1}",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0305"));

    /// <summary>The language version is too old.</summary>
    public static readonly DiagnosticDescriptor LanguageTooOld = new(
        id: "ESP0306",
        title: "The language version is too old",
        messageFormat: "The code generated for '{0}' needs C# 12, but this project is compiled as C# {1}",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0306"));

    /// <summary>What the plan costs.</summary>
    public static readonly DiagnosticDescriptor PlanCost = new(
        id: "ESP0401",
        title: "What the plan costs",
        messageFormat: "'{0}': {1}",
        category: Category,
        defaultSeverity: DiagnosticSeverity.Info,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("ESP0401"));

    /// <summary>What is wrong with the project around a class, and what its plan costs.</summary>
    public static readonly ImmutableArray<DiagnosticDescriptor> Project = ImmutableArray.Create(
        ModelNotFound,
        ConfigUnreadable,
        ConfigMalformed,
        ConfigRejected,
        ModelAmbiguous,
        LanguageTooOld,
        PlanCost);
}

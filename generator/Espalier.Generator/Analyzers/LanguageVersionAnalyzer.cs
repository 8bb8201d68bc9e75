using System.Collections.Immutable;
using Espalier.Diagnostics;
using Espalier.Parsing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Espalier.Analyzers;

/// <summary>Reports projects whose language version cannot express the emitted code.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class LanguageVersionAnalyzer : DeclaredModelAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(EspalierDiagnostics.LanguageTooOld);

    private protected override void Analyze(DeclaredModel model)
    {
        if (model.Marker.ApplicationSyntaxReference?.SyntaxTree.Options is CSharpParseOptions { LanguageVersion: var version } && version < DeclarationParser.LowestLanguageVersion)
        {
            model.Context.ReportDiagnostic(Diagnostic.Create(EspalierDiagnostics.LanguageTooOld, model.Location, model.Symbol.Name, version.ToDisplayString()));
        }
    }
}

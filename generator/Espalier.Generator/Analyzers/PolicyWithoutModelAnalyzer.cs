using System.Collections.Immutable;
using Espalier.Diagnostics;
using Espalier.Parsing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Espalier.Analyzers;

/// <summary>Reports policies on classes that are no vision-language models, where they would silently do nothing.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class PolicyWithoutModelAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(EspalierDiagnostics.PolicyWithoutModel);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSymbolAction(Analyze, SymbolKind.NamedType);
    }

    private static void Analyze(SymbolAnalysisContext context)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        ImmutableArray<AttributeData> attributes = type.GetAttributes();
        if (attributes.IsEmpty || DeclarationParser.Marker(type) is not null)
        {
            return;
        }

        foreach (AttributeData attribute in attributes)
        {
            if (PolicyParser.IsPolicy(attribute))
            {
                string written = PolicyParser.Parse(attribute)?.ToString() ?? attribute.AttributeClass!.Name;
                context.ReportDiagnostic(Diagnostic.Create(
                    EspalierDiagnostics.PolicyWithoutModel, ArgumentLocator.Attribute(attribute, context.CancellationToken), written, type.Name));
            }
        }
    }
}

using System.Collections.Immutable;
using Espalier.Diagnostics;
using Espalier.Parsing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Espalier.Analyzers;

/// <summary>Reports classes to which the generator cannot add its part.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DeclarationShapeAnalyzer : DeclaredModelAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(
        EspalierDiagnostics.NotPartial,
        EspalierDiagnostics.UnsupportedClass,
        EspalierDiagnostics.Generic,
        EspalierDiagnostics.ContainingTypeNotPartial,
        EspalierDiagnostics.HasBaseClass,
        EspalierDiagnostics.UnusableScorer,
        EspalierDiagnostics.MemberCollides);

    private protected override void Analyze(DeclaredModel model)
    {
        foreach (ShapeProblem problem in DeclarationShape.Check(model.Symbol, model.Cancellation))
        {
            model.Context.ReportDiagnostic(Diagnostic.Create(DescriptorOf(problem.Kind), problem.Location, problem.Values));
        }
    }

    private static DiagnosticDescriptor DescriptorOf(ShapeProblemKind kind) => kind switch
    {
        ShapeProblemKind.NotPartial => EspalierDiagnostics.NotPartial,
        ShapeProblemKind.UnsupportedClass => EspalierDiagnostics.UnsupportedClass,
        ShapeProblemKind.Generic => EspalierDiagnostics.Generic,
        ShapeProblemKind.ContainingTypeNotPartial => EspalierDiagnostics.ContainingTypeNotPartial,
        ShapeProblemKind.HasBaseClass => EspalierDiagnostics.HasBaseClass,
        ShapeProblemKind.UnusableScorer => EspalierDiagnostics.UnusableScorer,
        _ => EspalierDiagnostics.MemberCollides,
    };
}

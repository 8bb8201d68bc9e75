using System;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Espalier.Diagnostics;
using Espalier.Parsing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Espalier.Analyzers;

/// <summary>Reports a declared precision that is a number without a name.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class UnknownPrecisionAnalyzer : DeclaredModelAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(EspalierDiagnostics.UnknownPrecision);

    private protected override void Analyze(DeclaredModel model)
    {
        if (DeclarationParser.Precision(model.Marker) is not null)
        {
            return;
        }

        object? number = model.Marker.NamedArguments.First(argument => string.Equals(argument.Key, KnownTypeNames.Precision, StringComparison.Ordinal)).Value.Value;
        model.Context.ReportDiagnostic(Diagnostic.Create(
            EspalierDiagnostics.UnknownPrecision,
            ArgumentLocator.Argument(model.Marker, KnownTypeNames.Precision, -1, model.Cancellation),
            model.Symbol.Name,
            Convert.ToString(number, CultureInfo.InvariantCulture)));
    }
}

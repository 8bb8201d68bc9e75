using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Espalier.Diagnostics;
using Espalier.Parsing;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Espalier.Analyzers;

/// <summary>Reports a model that the project does not declare, declares twice, or whose <c>config.json</c> cannot be used.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ModelConfigAnalyzer : DeclaredModelAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(
        EspalierDiagnostics.ModelNotFound,
        EspalierDiagnostics.ConfigUnreadable,
        EspalierDiagnostics.ConfigMalformed,
        EspalierDiagnostics.ConfigRejected,
        EspalierDiagnostics.ModelAmbiguous);

    private protected override void Analyze(DeclaredModel model)
    {
        if (DeclarationParser.ModelName(model.Marker) is not { } name)
        {
            return;
        }

        Location location = ArgumentLocator.Argument(model.Marker, "model", -1, model.Cancellation);
        IReadOnlyList<EspalierModel> named = model.Models.Value.Named(name);
        Diagnostic? found = named.Count switch
        {
            0 => Diagnostic.Create(EspalierDiagnostics.ModelNotFound, location, name, Known(model.Models.Value)),
            1 => Judge(named[0], location),
            _ => Diagnostic.Create(EspalierDiagnostics.ModelAmbiguous, location, name, string.Join(", ", named.Select(one => "'" + one.ConfigPath + "'"))),
        };
        if (found is not null)
        {
            model.Context.ReportDiagnostic(found);
        }
    }

    private static string Known(EspalierModels models) =>
        models.All.Count == 0 ? "none; add <EspalierModel Include=\"folder of the model\" />" : string.Join(", ", models.All.Select(model => "'" + model.Name + "'").Distinct());

    private static Diagnostic? Judge(EspalierModel model, Location location)
    {
        if (model.Reading is null)
        {
            return Diagnostic.Create(EspalierDiagnostics.ConfigUnreadable, location, model.Name, model.ConfigPath);
        }

        if (model.Reading.Problem is not { } problem)
        {
            return null;
        }

        // The sentence of the problem ends with a full stop, the message does not.
        bool malformed = problem.Rule is GeometryRule.MalformedJson or GeometryRule.DuplicateField;
        return Diagnostic.Create(malformed ? EspalierDiagnostics.ConfigMalformed : EspalierDiagnostics.ConfigRejected, location, model.Name, problem.Message.TrimEnd('.'));
    }
}

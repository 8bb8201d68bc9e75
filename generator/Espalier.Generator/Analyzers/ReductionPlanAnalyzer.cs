using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Espalier.Diagnostics;
using Espalier.Parsing;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Espalier.Analyzers;

/// <summary>Plans the class as the generator does, and reports what contradicts the model or another policy, at the argument at fault; else what the plan costs.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ReductionPlanAnalyzer : DeclaredModelAnalyzer
{
    /// <summary>The property of a diagnostic that names the argument at fault, which may not be written.</summary>
    public const string ArgumentProperty = "Argument";

    /// <summary>The property of a diagnostic that holds the value which a fix may write instead.</summary>
    public const string SuggestionProperty = "Suggestion";

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = EspalierDiagnostics.Plan.Add(EspalierDiagnostics.PlanCost).Add(EspalierDiagnostics.PartsOfQuantisedWeights);

    private protected override void Analyze(DeclaredModel model)
    {
        if (model.Geometry is not { } geometry || DeclarationParser.Policies(model.Symbol) is not { } policies)
        {
            return;
        }

        PlanResult result = Planner.Plan(geometry, policies.Select(policy => policy.Declaration).ToList());
        foreach (PlanProblem problem in result.Problems)
        {
            ImmutableDictionary<string, string?> properties = ImmutableDictionary<string, string?>.Empty
                .Add(ArgumentProperty, problem.Argument)
                .Add(SuggestionProperty, problem.Suggestion?.ToString(CultureInfo.InvariantCulture));
            model.Context.ReportDiagnostic(Diagnostic.Create(
                EspalierDiagnostics.For(problem),
                ArgumentLocator.Argument(policies[problem.Policy].Attribute, problem.Argument, problem.Element, model.Cancellation),
                properties,
                problem.Values.ToArray<object>()));
        }

        if (result.Plan is { } plan)
        {
            if (DeclarationParser.Precision(model.Marker) is { } precision && precision.StartsWith(KnownTypeNames.IntegerPrecisions, StringComparison.Ordinal) && plan.Segments.Any(segment => segment.Partial is { CutsWeights: true }))
            {
                model.Context.ReportDiagnostic(Diagnostic.Create(
                    EspalierDiagnostics.PartsOfQuantisedWeights,
                    ArgumentLocator.Argument(model.Marker, KnownTypeNames.Precision, -1, model.Cancellation),
                    model.Symbol.Name,
                    precision));
            }

            model.Context.ReportDiagnostic(Diagnostic.Create(EspalierDiagnostics.PlanCost, model.Location, model.Symbol.Name, Summary(plan)));
        }
    }

    private static string Summary(ReductionPlan plan)
    {
        var parts = new List<string> { PlanText.Count(plan.Geometry.VisualTokens) + " visual tokens" };
        parts.AddRange(plan.Steps.Select(step => PlanTable.AtMost(step.IsDynamic) + PlanText.Count(step.TokensAfter) + " " + (step.IsVisionSide ? VisionRules.Describe(step.Site) : "after layer " + PlanText.Plain(step.AfterLayer))));
        return string.Join(", ", parts) + ". " + PlanTable.Rows(plan) + " " + PlanTable.Cost(plan).TrimEnd('.');
    }
}

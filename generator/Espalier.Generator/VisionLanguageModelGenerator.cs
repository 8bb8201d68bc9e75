using Espalier.Emission;
using Espalier.Parsing;
using Microsoft.CodeAnalysis;

namespace Espalier;

/// <summary>Writes the plan and the forward loop of every class with <c>[VisionLanguageModel]</c>.</summary>
/// <remarks>Parsing sees symbols and yields equatable records, planning is pure, emission decides nothing. Problems are reported by the analyzers; a class with a fatal one gets no code.</remarks>
[Generator(LanguageNames.CSharp)]
public sealed partial class VisionLanguageModelGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValueProvider<EspalierModels> models = context.AdditionalTextsProvider
            .Combine(context.AnalyzerConfigOptionsProvider)
            .Select(static (pair, _) => EspalierModelItem.From(pair.Left, pair.Right))
            .Where(static item => item is not null)
            .WithTrackingName(StepNames.ModelItems)
            .Select(static (item, cancellation) => item!.Read(cancellation))
            .WithTrackingName(StepNames.Models)
            .Collect()
            .Select(static (all, _) => EspalierModels.From(all))
            .WithTrackingName(StepNames.AllModels);

        IncrementalValuesProvider<ModelDeclaration> declarations = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                KnownTypeNames.VisionLanguageModelAttribute,
                static (node, _) => DeclarationParser.IsCandidate(node),
                static (attributed, cancellation) => DeclarationParser.Parse(attributed, cancellation))
            .WithTrackingName(StepNames.Declarations)
            .Where(static declaration => declaration is not null)
            .Select(static (declaration, _) => declaration!);

        IncrementalValuesProvider<PlannedModel> plans = declarations
            .Combine(models)
            .Select(static (pair, _) => PlannedModel.From(pair.Left, pair.Right))
            .WithTrackingName(StepNames.Plans)
            .Where(static planned => planned is not null)
            .Select(static (planned, _) => planned!);

        context.RegisterSourceOutput(
            plans,
            static (production, planned) => production.AddSource(planned.Declaration.HintName, ModelEmitter.Emit(planned)));
    }
}

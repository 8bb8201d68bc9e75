using System;
using System.Threading;
using Espalier.Parsing;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Espalier.Analyzers;

/// <summary>A class with <c>[VisionLanguageModel]</c> under analysis.</summary>
/// <param name="Context">Where to report.</param>
/// <param name="Symbol">The class.</param>
/// <param name="Marker">The attribute.</param>
/// <param name="Models">The models of the project; read when first asked for.</param>
internal sealed record DeclaredModel(SymbolAnalysisContext Context, INamedTypeSymbol Symbol, AttributeData Marker, Lazy<EspalierModels> Models)
{
    /// <summary>Cancels the analysis.</summary>
    public CancellationToken Cancellation => Context.CancellationToken;

    /// <summary>The class's name, in the part that has the attribute.</summary>
    public Location Location => ArgumentLocator.TypeNameBeside(Marker, Cancellation) ?? Symbol.Locations[0];

    /// <summary>The geometry of the model; null unless the project has exactly one readable model of the name.</summary>
    public ModelGeometry? Geometry =>
        DeclarationParser.ModelName(Marker) is { } name && Models.Value.Named(name) is { Count: 1 } named ? named[0].Geometry : null;
}

/// <summary>The base of the analyzers that look at classes with <c>[VisionLanguageModel]</c>.</summary>
public abstract class DeclaredModelAnalyzer : DiagnosticAnalyzer
{
    private protected DeclaredModelAnalyzer()
    {
    }

    /// <inheritdoc/>
    public sealed override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (start.Compilation.GetTypeByMetadataName(KnownTypeNames.VisionLanguageModelAttribute) is null)
            {
                return;
            }

            AnalyzerOptions options = start.Options;
            CancellationToken cancellation = start.CancellationToken;
            var models = new Lazy<EspalierModels>(() => EspalierModels.From(options, cancellation), LazyThreadSafetyMode.PublicationOnly);
            start.RegisterSymbolAction(
                symbol =>
                {
                    var type = (INamedTypeSymbol)symbol.Symbol;
                    if (DeclarationParser.Marker(type) is { } marker)
                    {
                        Analyze(new DeclaredModel(symbol, type, marker, models));
                    }
                },
                SymbolKind.NamedType);
        });
    }

    private protected abstract void Analyze(DeclaredModel model);
}

using System.Collections.Generic;
using System.Collections.Immutable;
using System.Composition;
using System.Linq;
using System.Threading.Tasks;
using Espalier.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Espalier.CodeFixes;

/// <summary>Writes a list of layers in ascending order, each once.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(OrderLayersCodeFix))]
[Shared]
public sealed class OrderLayersCodeFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(EspalierDiagnostics.LayersNotAscending.Id);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        SemanticModel? semantics = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        Diagnostic diagnostic = context.Diagnostics.First();
        if (root is null || semantics is null || AttributeEdits.AttributeAt(root, diagnostic.Location) is not { } attribute)
        {
            return;
        }

        var layers = new SortedDictionary<int, ExpressionSyntax>();
        foreach (ExpressionSyntax layer in AttributeEdits.Layers(attribute))
        {
            if (semantics.GetConstantValue(layer, context.CancellationToken).Value is not int value)
            {
                return;
            }

            layers[value] = layers.TryGetValue(value, out ExpressionSyntax? first) ? first : layer;
        }

        context.RegisterCodeFix(
            CodeAction.Create(
                "Write the layers in ascending order, each once",
                _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(attribute, AttributeEdits.WithLayers(attribute, layers.Values)))),
                equivalenceKey: nameof(OrderLayersCodeFix)),
            diagnostic);
    }
}

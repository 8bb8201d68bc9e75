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

/// <summary>Removes a policy that does nothing or that another one says already; of a list of layers, only the layer at fault.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RemovePolicyCodeFix))]
[Shared]
public sealed class RemovePolicyCodeFix : CodeFixProvider
{
    private static readonly ImmutableHashSet<string> OfOneLayer =
        ImmutableHashSet.Create(EspalierDiagnostics.FreezeAfterExit.Id, EspalierDiagnostics.FrozenTwice.Id);

    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(
        EspalierDiagnostics.PolicyWithoutModel.Id,
        EspalierDiagnostics.NoLayerAfterReduction.Id,
        EspalierDiagnostics.PruneAfterExit.Id,
        EspalierDiagnostics.FreezeAfterExit.Id,
        EspalierDiagnostics.SecondExit.Id,
        EspalierDiagnostics.FrozenTwice.Id,
        EspalierDiagnostics.SecondPruneAtBoundary.Id,
        EspalierDiagnostics.SecondStepAtSite.Id,
        EspalierDiagnostics.NoLayers.Id,
        EspalierDiagnostics.KeepsAll.Id);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        Diagnostic diagnostic = context.Diagnostics.First();
        if (root is null || AttributeEdits.AttributeAt(root, diagnostic.Location) is not { } attribute)
        {
            return;
        }

        string name = attribute.Name.ToString();
        SyntaxNode? fixedRoot = AttributeEdits.Remove(root, attribute);
        string title = "Remove '" + name + "'";
        if (OfOneLayer.Contains(diagnostic.Id))
        {
            IReadOnlyList<ExpressionSyntax> layers = AttributeEdits.Layers(attribute);
            ExpressionSyntax? layer = layers.FirstOrDefault(candidate => candidate.Span == diagnostic.Location.SourceSpan);
            if (layer is null)
            {
                // Of a range, only a part may be at fault; which end to move is not ours to decide.
                return;
            }

            if (layers.Count > 1)
            {
                fixedRoot = root.ReplaceNode(attribute, AttributeEdits.WithLayers(attribute, layers.Where(candidate => candidate != layer)));
                title = "Remove layer " + layer + " from '" + name + "'";
            }
        }

        context.RegisterCodeFix(
            CodeAction.Create(title, _ => Task.FromResult(context.Document.WithSyntaxRoot(fixedRoot)), equivalenceKey: nameof(RemovePolicyCodeFix)),
            diagnostic);
    }
}

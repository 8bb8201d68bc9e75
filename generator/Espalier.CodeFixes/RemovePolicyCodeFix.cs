using System.Collections.Generic;
using System.Collections.Immutable;
using System.Composition;
using System.Linq;
using System.Threading;
using Espalier.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Espalier.CodeFixes;

/// <summary>Removes a policy that does nothing or that another one says already; of a list of layers, only the layer at fault.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RemovePolicyCodeFix))]
[Shared]
public sealed class RemovePolicyCodeFix : EspalierCodeFix
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
        EspalierDiagnostics.TowerReducedTwice.Id,
        EspalierDiagnostics.NoLayers.Id,
        EspalierDiagnostics.KeepsAll.Id);

    /// <inheritdoc/>
    private protected override Fix? Find(SyntaxNode root, SemanticModel semantics, Diagnostic diagnostic, CancellationToken cancellation)
    {
        if (AttributeEdits.AttributeAt(root, diagnostic.Location) is not { } attribute)
        {
            return null;
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
                return null;
            }

            if (layers.Count > 1)
            {
                fixedRoot = root.ReplaceNode(attribute, AttributeEdits.WithLayers(attribute, layers.Where(candidate => candidate != layer)));
                title = "Remove layer " + layer + " from '" + name + "'";
            }
        }

        return new Fix(title, fixedRoot);
    }
}

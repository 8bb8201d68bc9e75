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

/// <summary>Writes a list of layers in ascending order, each once.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(OrderLayersCodeFix))]
[Shared]
public sealed class OrderLayersCodeFix : EspalierCodeFix
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(EspalierDiagnostics.LayersNotAscending.Id);

    /// <inheritdoc/>
    private protected override Fix? Find(SyntaxNode root, SemanticModel semantics, Diagnostic diagnostic, CancellationToken cancellation)
    {
        if (AttributeEdits.AttributeAt(root, diagnostic.Location) is not { } attribute)
        {
            return null;
        }

        var layers = new SortedDictionary<int, ExpressionSyntax>();
        foreach (ExpressionSyntax layer in AttributeEdits.Layers(attribute))
        {
            if (semantics.GetConstantValue(layer, cancellation).Value is not int value)
            {
                return null;
            }

            layers[value] = layers.TryGetValue(value, out ExpressionSyntax? first) ? first : layer;
        }

        return new Fix("Write the layers in ascending order, each once", root.ReplaceNode(attribute, AttributeEdits.WithLayers(attribute, layers.Values)));
    }
}

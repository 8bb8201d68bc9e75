using System.Collections.Immutable;
using System.Composition;
using System.Globalization;
using System.Linq;
using System.Threading;
using Espalier.Analyzers;
using Espalier.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Espalier.CodeFixes;

/// <summary>Replaces a layer, or a number of stages, that the model does not have by the nearest one that it has. The analyzer says which that is.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ClampLayerCodeFix))]
[Shared]
public sealed class ClampLayerCodeFix : EspalierCodeFix
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } =
        ImmutableArray.Create(EspalierDiagnostics.LayerOutOfRange.Id, EspalierDiagnostics.NoLayerBeforePrune.Id, EspalierDiagnostics.StagesOutOfRange.Id);

    /// <inheritdoc/>
    private protected override Fix? Find(SyntaxNode root, SemanticModel semantics, Diagnostic diagnostic, CancellationToken cancellation)
    {
        if (!diagnostic.Properties.TryGetValue(ReductionPlanAnalyzer.SuggestionProperty, out string? suggestion)
            || !int.TryParse(suggestion, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
            || !diagnostic.Properties.TryGetValue(ReductionPlanAnalyzer.ArgumentProperty, out string? argument)
            || argument is null)
        {
            return null;
        }

        SyntaxNode place = root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: false);
        ExpressionSyntax literal = SyntaxFactory.ParseExpression(suggestion!);
        SyntaxNode fixedRoot;
        switch (place)
        {
            case AttributeSyntax attribute:
                fixedRoot = root.ReplaceNode(attribute, AddArgument(attribute, argument, literal));
                break;
            case AttributeArgumentSyntax written:
                fixedRoot = root.ReplaceNode(written.Expression, literal.WithTriviaFrom(written.Expression));
                break;
            case ExpressionElementSyntax item:
                fixedRoot = root.ReplaceNode(item.Expression, literal.WithTriviaFrom(item.Expression));
                break;
            case ExpressionSyntax expression:
                fixedRoot = root.ReplaceNode(expression, literal.WithTriviaFrom(expression));
                break;
            default:
                return null;
        }

        return new Fix("Use " + suggestion + ", the nearest that the model allows", fixedRoot);
    }

    /// <summary>Writes out an argument whose default does not suit the model.</summary>
    private static AttributeSyntax AddArgument(AttributeSyntax attribute, string name, ExpressionSyntax value)
    {
        NameEqualsSyntax nameEquals = SyntaxFactory.NameEquals(
            SyntaxFactory.IdentifierName(name).WithTrailingTrivia(SyntaxFactory.Space),
            SyntaxFactory.Token(SyntaxKind.EqualsToken).WithTrailingTrivia(SyntaxFactory.Space));
        AttributeArgumentSyntax added = SyntaxFactory.AttributeArgument(nameEquals, null, value);
        if (attribute.ArgumentList is not { Arguments.Count: > 0 } list)
        {
            return attribute.WithArgumentList(SyntaxFactory.AttributeArgumentList(SyntaxFactory.SingletonSeparatedList(added)));
        }

        SyntaxToken comma = SyntaxFactory.Token(SyntaxKind.CommaToken).WithTrailingTrivia(SyntaxFactory.Space);
        return attribute.WithArgumentList(list.WithArguments(
            SyntaxFactory.SeparatedList(list.Arguments.Append(added), list.Arguments.GetSeparators().Append(comma))));
    }
}

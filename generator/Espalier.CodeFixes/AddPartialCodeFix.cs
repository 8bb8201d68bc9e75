using System.Collections.Immutable;
using System.Composition;
using System.Linq;
using System.Threading;
using Espalier.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Espalier.CodeFixes;

/// <summary>Makes a class, or a type around it, partial.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(AddPartialCodeFix))]
[Shared]
public sealed class AddPartialCodeFix : EspalierCodeFix
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } =
        ImmutableArray.Create(EspalierDiagnostics.NotPartial.Id, EspalierDiagnostics.ContainingTypeNotPartial.Id);

    /// <inheritdoc/>
    private protected override Fix? Find(SyntaxNode root, SemanticModel semantics, Diagnostic diagnostic, CancellationToken cancellation)
    {
        if (root.FindNode(diagnostic.Location.SourceSpan).FirstAncestorOrSelf<TypeDeclarationSyntax>() is not { } type)
        {
            return null;
        }

        return new Fix("Make '" + type.Identifier.ValueText + "' partial", root.ReplaceNode(type, AddPartial(type)));
    }

    private static TypeDeclarationSyntax AddPartial(TypeDeclarationSyntax type)
    {
        SyntaxToken modifier = SyntaxFactory.Token(SyntaxKind.PartialKeyword).WithTrailingTrivia(SyntaxFactory.Space);
        if (type.Modifiers.Count > 0 || type.AttributeLists.Count > 0)
        {
            // Behind the other modifiers; what stands before the keyword, such as an indentation, then belongs before the modifier.
            return type.Modifiers.Count > 0
                ? type.AddModifiers(modifier)
                : type.WithKeyword(type.Keyword.WithLeadingTrivia()).AddModifiers(modifier.WithLeadingTrivia(type.Keyword.LeadingTrivia));
        }

        return type.WithoutLeadingTrivia().AddModifiers(modifier).WithLeadingTrivia(type.GetLeadingTrivia());
    }
}

using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Espalier.CodeFixes;

/// <summary>Edits that several fixes share.</summary>
internal static class AttributeEdits
{
    /// <summary>The attribute around, or exactly at, a place.</summary>
    public static AttributeSyntax? AttributeAt(SyntaxNode root, Location location) =>
        root.FindNode(location.SourceSpan, getInnermostNodeForTie: true).FirstAncestorOrSelf<AttributeSyntax>();

    /// <summary>The document without the attribute, and without its brackets if nothing else stands in them. Comments above the class stay.</summary>
    public static SyntaxNode Remove(SyntaxNode root, AttributeSyntax attribute)
    {
        var list = (AttributeListSyntax)attribute.Parent!;
        if (list.Attributes.Count > 1)
        {
            return root.RemoveNode(attribute, SyntaxRemoveOptions.KeepNoTrivia)!;
        }

        var type = (TypeDeclarationSyntax)list.Parent!;
        SyntaxNode without = type.WithAttributeLists(type.AttributeLists.Remove(list)).WithLeadingTrivia(type.GetLeadingTrivia());
        return root.ReplaceNode(type, without);
    }

    /// <summary>The layers that an attribute lists, whether written out or as an array.</summary>
    public static IReadOnlyList<ExpressionSyntax> Layers(AttributeSyntax attribute)
    {
        ExpressionSyntax[] written = Positional(attribute).Select(argument => argument.Expression).ToArray();
        return written.Length != 1 ? written : written[0] switch
        {
            ArrayCreationExpressionSyntax { Initializer.Expressions: var items } => items.ToArray(),
            ImplicitArrayCreationExpressionSyntax { Initializer.Expressions: var items } => items.ToArray(),
            CollectionExpressionSyntax { Elements: var items } => items.OfType<ExpressionElementSyntax>().Select(item => item.Expression).ToArray(),
            _ => written,
        };
    }

    /// <summary>The attribute with other layers, written out.</summary>
    public static AttributeSyntax WithLayers(AttributeSyntax attribute, IEnumerable<ExpressionSyntax> layers)
    {
        IEnumerable<AttributeArgumentSyntax> list = layers.Select(layer => SyntaxFactory.AttributeArgument(layer.WithoutTrivia()));
        AttributeArgumentSyntax[] all = list.Concat(attribute.ArgumentList!.Arguments.Where(argument => argument.NameEquals is not null)).ToArray();
        SyntaxToken comma = SyntaxFactory.Token(SyntaxKind.CommaToken).WithTrailingTrivia(SyntaxFactory.Space);
        return attribute.WithArgumentList(attribute.ArgumentList.WithArguments(
            SyntaxFactory.SeparatedList(all, Enumerable.Repeat(comma, all.Length > 0 ? all.Length - 1 : 0))));
    }

    private static IEnumerable<AttributeArgumentSyntax> Positional(AttributeSyntax attribute) =>
        attribute.ArgumentList?.Arguments.Where(argument => argument.NameEquals is null) ?? Enumerable.Empty<AttributeArgumentSyntax>();
}

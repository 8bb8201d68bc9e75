using System;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Espalier.Analyzers;

/// <summary>Finds where an argument of an attribute is written.</summary>
internal static class ArgumentLocator
{
    /// <summary>The attribute as it is written, without its brackets.</summary>
    public static Location Attribute(AttributeData attribute, CancellationToken cancellation) =>
        attribute.ApplicationSyntaxReference?.GetSyntax(cancellation).GetLocation() ?? Location.None;

    /// <summary>The argument of a property or parameter, or one item of its list; the whole attribute if the argument was left out.</summary>
    public static Location Argument(AttributeData attribute, string? name, int element, CancellationToken cancellation)
    {
        if (name is null || attribute.ApplicationSyntaxReference?.GetSyntax(cancellation) is not AttributeSyntax { ArgumentList.Arguments: var arguments })
        {
            return Attribute(attribute, cancellation);
        }

        AttributeArgumentSyntax? named = arguments.FirstOrDefault(argument =>
            string.Equals((argument.NameEquals?.Name ?? argument.NameColon?.Name)?.Identifier.ValueText, name, StringComparison.Ordinal));
        if (named is not null)
        {
            return Element(named, element);
        }

        AttributeArgumentSyntax[] positional = arguments.Where(argument => argument.NameEquals is null && argument.NameColon is null).ToArray();
        int parameter = attribute.AttributeConstructor?.Parameters.ToList().FindIndex(candidate => string.Equals(candidate.Name, name, StringComparison.Ordinal)) ?? -1;
        if (parameter < 0 || parameter >= positional.Length)
        {
            return Attribute(attribute, cancellation);
        }

        // A list may be written out, (5, 6), or as one array, (new[] { 5, 6 }).
        AttributeArgumentSyntax only = positional[parameter];
        bool isWrittenOut = element >= 0 && parameter + element < positional.Length && (element > 0 || Items(only) is null);
        return isWrittenOut ? positional[parameter + element].GetLocation() : Element(only, element);
    }

    /// <summary>The name of the type that the attribute stands on.</summary>
    public static Location? TypeNameBeside(AttributeData attribute, CancellationToken cancellation) =>
        attribute.ApplicationSyntaxReference?.GetSyntax(cancellation).FirstAncestorOrSelf<TypeDeclarationSyntax>()?.Identifier.GetLocation();

    private static Location Element(AttributeArgumentSyntax argument, int element) =>
        element >= 0 && Items(argument) is { } items && element < items.Length ? items[element].GetLocation() : argument.GetLocation();

    private static SyntaxNode[]? Items(AttributeArgumentSyntax argument) => argument.Expression switch
    {
        ArrayCreationExpressionSyntax { Initializer.Expressions: var items } => items.ToArray<SyntaxNode>(),
        ImplicitArrayCreationExpressionSyntax { Initializer.Expressions: var items } => items.ToArray<SyntaxNode>(),
        CollectionExpressionSyntax { Elements: var items } => items.ToArray<SyntaxNode>(),
        _ => null,
    };
}

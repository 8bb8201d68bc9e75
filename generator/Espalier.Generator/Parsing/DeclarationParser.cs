using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Espalier.Parsing;

/// <summary>Reads a class with <c>[VisionLanguageModel]</c> into a <see cref="ModelDeclaration"/>.</summary>
internal static class DeclarationParser
{
    /// <summary>The language version that the emitted code needs: file-local types are C# 11, collection expressions and bodiless classes C# 12.</summary>
    public const LanguageVersion LowestLanguageVersion = LanguageVersion.CSharp12;

    public static bool IsCandidate(SyntaxNode node) => node is ClassDeclarationSyntax;

    /// <summary>The declaration; null if it is wrong in a way that an analyzer or the compiler reports.</summary>
    public static ModelDeclaration? Parse(GeneratorAttributeSyntaxContext attributed, CancellationToken cancellation)
    {
        var symbol = (INamedTypeSymbol)attributed.TargetSymbol;

        // A marker that is written twice is the compiler's error; a second file of the same name would be ours.
        if (Marker(symbol) is not { ApplicationSyntaxReference: { } written } marker
            || written.SyntaxTree != attributed.TargetNode.SyntaxTree
            || !attributed.TargetNode.Span.Contains(written.Span)
            || ((CSharpParseOptions)attributed.TargetNode.SyntaxTree.Options).LanguageVersion < LowestLanguageVersion
            || DeclarationShape.Check(symbol, cancellation).Any()
            || ModelName(marker) is not { } model
            || Precision(marker) is not { } precision
            || Policies(symbol) is not { } policies)
        {
            return null;
        }

        cancellation.ThrowIfCancellationRequested();
        return new ModelDeclaration(
            symbol.ContainingNamespace.IsGlobalNamespace ? string.Empty : NamespaceOf(symbol.ContainingNamespace),
            ContainingTypes(symbol),
            EscapeType(symbol.Name),
            symbol.Name,
            HintName.Of(symbol),
            model,
            precision,
            policies.Select(policy => policy.Declaration).ToEquatableArray(),
            ((CSharpCompilationOptions)attributed.SemanticModel.Compilation.Options).AllowUnsafe);
    }

    /// <summary>The marker of a class, or null.</summary>
    public static AttributeData? Marker(INamedTypeSymbol symbol) => symbol.GetAttributes()
        .FirstOrDefault(attribute => attribute.AttributeClass is { ContainingType: null } type && type.Is(KnownTypeNames.VisionLanguageModelAttribute));

    /// <summary>The name that the marker gives; null if the compiler already rejects it.</summary>
    public static string? ModelName(AttributeData marker) =>
        marker.ConstructorArguments.Length == 1 && marker.ConstructorArguments[0].Value is string name ? name : null;

    /// <summary>The member of <c>Espalier.Precision</c> that the marker declares; null if what it declares is no member.</summary>
    public static string? Precision(AttributeData marker)
    {
        TypedConstant declared = marker.NamedArguments.FirstOrDefault(argument => string.Equals(argument.Key, KnownTypeNames.Precision, StringComparison.Ordinal)).Value;
        return declared.Kind == TypedConstantKind.Enum
            ? ((INamedTypeSymbol)declared.Type!).GetMembers().OfType<IFieldSymbol>().FirstOrDefault(field => field.HasConstantValue && Equals(field.ConstantValue, declared.Value))?.Name
            : KnownTypeNames.DefaultPrecision;
    }

    /// <summary>The policies with their attributes, in the order of the attributes; null if the compiler rejects one of them.</summary>
    public static IReadOnlyList<(PolicyDeclaration Declaration, AttributeData Attribute)>? Policies(INamedTypeSymbol symbol)
    {
        var policies = new List<(PolicyDeclaration, AttributeData)>();
        foreach (AttributeData attribute in symbol.GetAttributes())
        {
            if (!PolicyParser.IsPolicy(attribute))
            {
                continue;
            }

            if (PolicyParser.Parse(attribute) is not { } declaration)
            {
                return null;
            }

            policies.Add((declaration, attribute));
        }

        return policies;
    }

    /// <summary>True if the type has the given full name and is not nested.</summary>
    public static bool Is(this INamedTypeSymbol type, string fullName)
    {
        int dot = fullName.LastIndexOf('.');
        return type.ContainingType is null
            && string.Equals(type.Name, fullName.Substring(dot + 1), StringComparison.Ordinal)
            && type.ContainingNamespace is { ContainingNamespace.IsGlobalNamespace: true } space
            && string.Equals(space.Name, fullName.Substring(0, dot), StringComparison.Ordinal);
    }

    private static string NamespaceOf(INamespaceSymbol space)
    {
        var parts = new Stack<string>();
        for (INamespaceSymbol part = space; !part.IsGlobalNamespace; part = part.ContainingNamespace)
        {
            parts.Push(Escape(part.Name));
        }

        return string.Join(".", parts);
    }

    private static EquatableArray<string> ContainingTypes(INamedTypeSymbol symbol)
    {
        var headers = new Stack<string>();
        for (INamedTypeSymbol? type = symbol.ContainingType; type is not null; type = type.ContainingType)
        {
            string keyword = type switch
            {
                { TypeKind: TypeKind.Interface } => "interface",
                { TypeKind: TypeKind.Struct, IsRecord: true } => "record struct",
                { TypeKind: TypeKind.Struct } => "struct",
                { IsRecord: true } => "record",
                _ => "class",
            };
            headers.Push("partial " + keyword + " " + EscapeType(type.Name));
        }

        return headers.ToEquatableArray();
    }

    /// <summary>For a type's name in lower case the compiler warns at each of its parts (CS8981), unless it is written with an at sign.</summary>
    private static string EscapeType(string name) => name.All(static c => c is >= 'a' and <= 'z') ? "@" + name : Escape(name);

    private static string Escape(string name) =>
        SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None || SyntaxFacts.GetContextualKeywordKind(name) != SyntaxKind.None ? "@" + name : name;
}

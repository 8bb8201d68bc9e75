using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Espalier.Parsing;

/// <summary>The ways in which a class can be of the wrong shape. The number is that of the diagnostic: 1 is ESP0001.</summary>
internal enum ShapeProblemKind
{
    NotPartial = 1,
    UnsupportedClass = 2,
    Generic = 3,
    ContainingTypeNotPartial = 4,
    HasBaseClass = 5,
    UnusableScorer = 7,
    MemberCollides = 9,
}

/// <summary>Something about a class that keeps the generator from adding to it. Lives only as long as one analysis: it holds a location.</summary>
internal sealed record ShapeProblem(ShapeProblemKind Kind, Location Location, params object[] Values);

/// <summary>Checks whether the generator can add its part to a class. The generator asks whether there is a problem, the analyzer which.</summary>
internal static class DeclarationShape
{
    public static IEnumerable<ShapeProblem> Check(INamedTypeSymbol symbol, CancellationToken cancellation)
    {
        TypeDeclarationSyntax? declaration = Parts(symbol, cancellation).FirstOrDefault();
        if (declaration is null)
        {
            yield break;
        }

        Location location = declaration.Identifier.GetLocation();
        if (Unsupported(symbol) is { } reason)
        {
            yield return new ShapeProblem(ShapeProblemKind.UnsupportedClass, location, symbol.Name, reason);
        }

        foreach (ShapeProblem problem in NotPartial(symbol, ShapeProblemKind.NotPartial, symbol, cancellation))
        {
            yield return problem;
        }

        if (symbol.Arity > 0)
        {
            yield return new ShapeProblem(ShapeProblemKind.Generic, location, symbol.Name, "it has type parameters");
        }

        if (symbol.BaseType is { SpecialType: not SpecialType.System_Object, TypeKind: not TypeKind.Error } type
            && !type.Is(KnownTypeNames.Namespace + "." + KnownTypeNames.VisionLanguageModel))
        {
            Location place = Parts(symbol, cancellation).Select(part => part.BaseList?.Types.FirstOrDefault()).FirstOrDefault(part => part is not null)?.GetLocation() ?? location;
            yield return new ShapeProblem(ShapeProblemKind.HasBaseClass, place, symbol.Name, type.ToDisplayString());
        }

        foreach (AttributeData policy in symbol.GetAttributes().Where(PolicyParser.IsPolicy))
        {
            if (ScorerShape.ScorerOf(policy) is { TypeKind: not TypeKind.Error, IsValueType: true } scorer && ScorerShape.Unusable(scorer) is { } fault)
            {
                yield return new ShapeProblem(ShapeProblemKind.UnusableScorer, TypeArgumentLocation(policy, cancellation) ?? location, scorer.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat), fault);
            }
        }

        foreach ((Location place, string declared, string generated) in GeneratedMembers.Collisions(symbol, cancellation))
        {
            yield return new ShapeProblem(ShapeProblemKind.MemberCollides, place, symbol.Name, declared, generated);
        }

        for (INamedTypeSymbol? containing = symbol.ContainingType; containing is not null; containing = containing.ContainingType)
        {
            if (containing.Arity > 0)
            {
                yield return new ShapeProblem(ShapeProblemKind.Generic, location, symbol.Name, "it lies in the generic type '" + containing.Name + "'");
            }

            foreach (ShapeProblem problem in NotPartial(containing, ShapeProblemKind.ContainingTypeNotPartial, symbol, cancellation))
            {
                yield return problem;
            }
        }
    }

    private static Location? TypeArgumentLocation(AttributeData policy, CancellationToken cancellation) =>
        (policy.ApplicationSyntaxReference?.GetSyntax(cancellation) as AttributeSyntax)?.Name.DescendantNodesAndSelf().OfType<GenericNameSyntax>().FirstOrDefault()
            ?.TypeArgumentList.Arguments[0].GetLocation();

    private static IEnumerable<TypeDeclarationSyntax> Parts(INamedTypeSymbol symbol, CancellationToken cancellation) =>
        symbol.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax(cancellation)).OfType<TypeDeclarationSyntax>();

    private static IEnumerable<ShapeProblem> NotPartial(INamedTypeSymbol type, ShapeProblemKind kind, INamedTypeSymbol declared, CancellationToken cancellation)
    {
        foreach (TypeDeclarationSyntax part in Parts(type, cancellation))
        {
            if (!part.Modifiers.Any(SyntaxKind.PartialKeyword))
            {
                yield return new ShapeProblem(kind, part.Identifier.GetLocation(), declared.Name, type.Name);
            }
        }
    }

    private static string? Unsupported(INamedTypeSymbol symbol)
    {
        if (symbol.IsStatic)
        {
            return "is static";
        }

        if (symbol.IsAbstract)
        {
            return "is abstract";
        }

        if (symbol.IsRecord)
        {
            return "is a record";
        }

        if (symbol.IsFileLocal || ContainingTypes(symbol).Any(type => type.IsFileLocal))
        {
            return "is visible in one file only";
        }

        return GeneratedMembers.Contains(symbol.Name) ? "has the name of a member that is generated into it" : null;
    }

    private static IEnumerable<INamedTypeSymbol> ContainingTypes(INamedTypeSymbol symbol)
    {
        for (INamedTypeSymbol? type = symbol.ContainingType; type is not null; type = type.ContainingType)
        {
            yield return type;
        }
    }
}

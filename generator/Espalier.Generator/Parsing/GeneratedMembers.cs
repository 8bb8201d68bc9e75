using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Espalier.Parsing;

/// <summary>The members that the generator adds to a class, and what of the user's collides with them.</summary>
internal static class GeneratedMembers
{
    private static readonly string[] LoadParameters = { KnownTypeNames.Namespace + ".Checkpoint", KnownTypeNames.Namespace + ".ModelOptions" };

    private static readonly string[] PassParameter = { KnownTypeNames.Namespace + ".ForwardPass" };

    /// <summary>The methods by name, with the types of their parameters: overloads with other parameters are the user's to add.</summary>
    private static readonly Dictionary<string, string[]> Methods = new(StringComparer.Ordinal)
    {
        ["Load"] = LoadParameters,
        ["EncodeImage"] = new[] { KnownTypeNames.Namespace + ".ImagePass" },
        ["Prefill"] = PassParameter,
        ["DecodeStep"] = PassParameter,
    };

    private const string Property = "Plan";

    /// <summary>True for the name of a member that is generated.</summary>
    public static bool Contains(string name) => Methods.ContainsKey(name) || string.Equals(name, Property, StringComparison.Ordinal);

    /// <summary>What of the user's the compiler would refuse beside the generated members: where, what it is, and what is generated.</summary>
    public static IEnumerable<(Location Place, string Declared, string Generated)> Collisions(INamedTypeSymbol symbol, CancellationToken cancellation)
    {
        foreach (ISymbol member in symbol.GetMembers())
        {
            if (member.IsImplicitlyDeclared && member is not IMethodSymbol { MethodKind: MethodKind.Constructor })
            {
                continue;
            }

            if (Collision(member) is not var (declared, generated))
            {
                continue;
            }

            foreach (SyntaxReference reference in member.DeclaringSyntaxReferences)
            {
                SyntaxNode written = reference.GetSyntax(cancellation);
                if (!IsGenerated(written))
                {
                    Location place = written is TypeDeclarationSyntax { ParameterList: { } parameters } && member is IMethodSymbol
                        ? parameters.GetLocation()
                        : member.Locations.FirstOrDefault(location => location.SourceTree == written.SyntaxTree) ?? written.GetLocation();
                    yield return (place, declared, generated);
                    break;
                }
            }
        }
    }

    private static (string Declared, string Generated)? Collision(ISymbol member) => member switch
    {
        IMethodSymbol { MethodKind: MethodKind.Constructor } constructor => ConstructorCollision(constructor),
        IMethodSymbol { AssociatedSymbol: not null } => null,
        IMethodSymbol { Name: "get_" + Property, Arity: 0, Parameters.IsEmpty: true } => ("a method 'get_Plan'", "the property 'Plan', which needs that name"),
        IMethodSymbol { Name: "set_" + Property, Arity: 0, Parameters: { Length: 1 } parameters } when IsOf(parameters, KnownTypeNames.Namespace + ".Planning.ReductionPlan") =>
            ("a method 'set_Plan'", "the property 'Plan', which needs that name"),
        { Name: Property } => ("a member 'Plan'", "a property of that name"),
        IMethodSymbol method when Methods.TryGetValue(method.Name, out string[]? types) =>
            method.Arity == 0 && IsOf(method.Parameters, types) ? ("a method '" + method.Name + "' of the same parameters", "that method") : null,
        { Name: var name } when Methods.ContainsKey(name) => ("a member '" + name + "'", "a method of that name"),
        _ => null,
    };

    private static (string Declared, string Generated)? ConstructorCollision(IMethodSymbol constructor)
    {
        if (constructor.DeclaringSyntaxReferences.Any(reference => reference.GetSyntax() is TypeDeclarationSyntax { ParameterList: not null }))
        {
            return ("a primary constructor", "a constructor that cannot call it");
        }

        return IsOf(constructor.Parameters, LoadParameters) ? ("a constructor of the parameters Checkpoint and ModelOptions", "that constructor") : null;
    }

    private static bool IsOf(IReadOnlyList<IParameterSymbol> parameters, params string[] types)
    {
        if (parameters.Count != types.Length)
        {
            return false;
        }

        for (int i = 0; i < types.Length; i++)
        {
            if (parameters[i].RefKind != RefKind.None || !string.Equals(parameters[i].Type.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString(), types[i], StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True inside of the part that the generator wrote: analyzers see it beside the user's.</summary>
    private static bool IsGenerated(SyntaxNode written) =>
        written.FirstAncestorOrSelf<ClassDeclarationSyntax>() is { } part && IsMarked(part)
        || written.Parent?.FirstAncestorOrSelf<ClassDeclarationSyntax>() is { } around && IsMarked(around);

    private static bool IsMarked(ClassDeclarationSyntax part) => part.AttributeLists.SelectMany(list => list.Attributes).Any(attribute =>
        string.Equals(attribute.Name.ToString(), KnownTypeNames.GeneratedCodeRef, StringComparison.Ordinal)
        && attribute.ArgumentList?.Arguments.FirstOrDefault()?.Expression is LiteralExpressionSyntax { Token.ValueText: KnownTypeNames.GeneratorName });
}

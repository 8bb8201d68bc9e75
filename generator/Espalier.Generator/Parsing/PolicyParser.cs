using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Espalier.Planning;
using Microsoft.CodeAnalysis;

namespace Espalier.Parsing;

/// <summary>Reads one policy attribute into a <see cref="PolicyDeclaration"/>.</summary>
internal static class PolicyParser
{
    public static bool IsPolicy(AttributeData attribute) =>
        attribute.AttributeClass?.BaseType is { } type && type.Is(KnownTypeNames.Namespace + "." + KnownTypeNames.VisualPolicyAttribute);

    /// <summary>The declaration; null if the compiler rejects the attribute, or if this generator is older than the attribute.</summary>
    public static PolicyDeclaration? Parse(AttributeData attribute)
    {
        string name = attribute.AttributeClass!.Name;
        name = name.EndsWith(KnownTypeNames.AttributeSuffix, StringComparison.Ordinal) ? name.Substring(0, name.Length - KnownTypeNames.AttributeSuffix.Length) : name;
        if (attribute.AttributeConstructor is not { } constructor || PolicyMethods.Find(name) is null)
        {
            return null;
        }

        var arguments = new List<PolicyArgument?>();
        for (int i = 0; i < attribute.AttributeClass.Arity; i++)
        {
            ITypeSymbol type = attribute.AttributeClass.TypeArguments[i];
            bool isRejected = type.TypeKind == TypeKind.Error || !type.IsValueType;
            arguments.Add(isRejected ? null : new TypeArgument(
                attribute.AttributeClass.TypeParameters[i].Name,
                type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
                type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)));
        }

        for (int i = 0; i < attribute.ConstructorArguments.Length; i++)
        {
            TypedConstant value = attribute.ConstructorArguments[i];
            bool isAbsentList = value.Kind == TypedConstantKind.Array && (value.IsNull || value.Values.IsEmpty);
            if (!isAbsentList)
            {
                arguments.Add(Read(constructor.Parameters[i].Name, value));
            }
        }

        foreach (KeyValuePair<string, TypedConstant> named in attribute.NamedArguments)
        {
            if (named.Value is not { Kind: TypedConstantKind.Array, IsNull: true })
            {
                arguments.Add(Read(named.Key, named.Value) is LayersArgument list ? list with { IsNamed = true } : Read(named.Key, named.Value));
            }
        }

        return arguments.Contains(null) ? null : new PolicyDeclaration(name, arguments.Select(argument => argument!).ToEquatableArray());
    }

    private static PolicyArgument? Read(string name, TypedConstant constant) => constant switch
    {
        { Kind: TypedConstantKind.Primitive, Value: int value } => new IntegerArgument(name, value),
        { Kind: TypedConstantKind.Primitive, Value: double value } => new RealArgument(name, value),
        { Kind: TypedConstantKind.Primitive, Value: bool value } => new ChoiceArgument(name, value ? "true" : "false"),
        { Kind: TypedConstantKind.Enum, Value: { } value } => new ChoiceArgument(name, MemberName((INamedTypeSymbol)constant.Type!, value)),
        { Kind: TypedConstantKind.Array, IsNull: true } => null,
        { Kind: TypedConstantKind.Array, Type: IArrayTypeSymbol { ElementType.SpecialType: SpecialType.System_Double } } =>
            new NumbersArgument(name, constant.Values.Select(value => (double)value.Value!).ToEquatableArray()),
        { Kind: TypedConstantKind.Array } => ReadLayers(name, constant.Values),
        _ => null,
    };

    private static LayersArgument? ReadLayers(string name, ImmutableArray<TypedConstant> values) =>
        values.All(value => value.Value is int) ? new LayersArgument(name, values.Select(value => (int)value.Value!).ToEquatableArray()) : null;

    private static string MemberName(INamedTypeSymbol type, object value)
    {
        IFieldSymbol? member = type.GetMembers().OfType<IFieldSymbol>().FirstOrDefault(field => field.HasConstantValue && Equals(field.ConstantValue, value));
        return member?.Name ?? Convert.ToString(value, CultureInfo.InvariantCulture);
    }
}

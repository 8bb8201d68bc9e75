using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Espalier.Tests;

/// <summary>Writes what an assembly offers to others: one line a type and one a member, sorted, so that a difference is what changed.</summary>
internal static class PublicApi
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    /// <summary>The text; lines end with a line feed, the last one has none.</summary>
    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (Type type in assembly.GetExportedTypes().OrderBy(static type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Head(type)).Append('\n');
            foreach (string member in Members(type).Order(StringComparer.Ordinal))
            {
                text.Append("    ").Append(member).Append('\n');
            }
        }

        return text.ToString().TrimEnd('\n');
    }

    private static string Head(Type type)
    {
        string kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly struct" : "struct") : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";
        IEnumerable<Type> bases = type.IsEnum ? [] : (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) ? [parent] : Array.Empty<Type>()).Concat(type.GetInterfaces().Where(static face => face.IsPublic));
        string inherits = string.Join(", ", bases.Select(Name).Order(StringComparer.Ordinal));
        return $"{kind} {(type.Namespace is null ? "" : type.Namespace + ".")}{Name(type)}{(inherits.Length > 0 ? " : " + inherits : "")}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(static field => $"{field.Name} = {Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture)}");
        }

        IEnumerable<string> fields = type.GetFields(Declared).Where(field => IsOffered(field.IsPublic, field.IsFamily || field.IsFamilyOrAssembly, type))
            .Select(static field => $"{(field.IsLiteral ? "const " : field.IsStatic ? "static " : "")}{Name(field.FieldType)} {field.Name}{(field.IsLiteral ? " = " + Literal(field.GetRawConstantValue()) : "")}");
        IEnumerable<string> constructors = type.GetConstructors(Declared).Where(constructor => !constructor.IsStatic && IsOffered(constructor, type)).Select(static constructor => $"new({Parameters(constructor)})");
        IEnumerable<string> properties = type.GetProperties(Declared)
            .Select(property => (Property: property, Accessors: property.GetAccessors(nonPublic: true).Where(accessor => IsOffered(accessor, type)).ToArray()))
            .Where(static pair => pair.Accessors.Length > 0)
            .Select(static pair => Property(pair.Property, pair.Accessors));
        IEnumerable<string> methods = type.GetMethods(Declared)
            .Where(method => IsOffered(method, type) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) && !method.IsDefined(typeof(CompilerGeneratedAttribute)))
            .Select(static method => Modifiers(method) + $"{Nullable(method.ReturnParameter)} {method.Name}{Generics(method.IsGenericMethod ? method.GetGenericArguments() : [])}({Parameters(method)})");
        return fields.Concat(constructors).Concat(properties).Concat(methods);
    }

    private static bool IsOffered(MethodBase method, Type type) => IsOffered(method.IsPublic, method.IsFamily || method.IsFamilyOrAssembly, type);

    private static bool IsOffered(bool isPublic, bool isFamily, Type type) => isPublic || (isFamily && !type.IsSealed);

    private static string Property(PropertyInfo property, MethodInfo[] accessors)
    {
        string setter = accessors.FirstOrDefault(static accessor => accessor.ReturnType == typeof(void)) is not { } set ? ""
            : set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;";
        string getter = accessors.Any(static accessor => accessor.ReturnType != typeof(void)) ? " get;" : "";
        string index = property.GetIndexParameters() is { Length: > 0 } parameters ? $"[{string.Join(", ", parameters.Select(static parameter => Name(parameter.ParameterType)))}]" : "";
        string type = Name(property.PropertyType) + (Nullability.Create(property).ReadState == NullabilityState.Nullable && !property.PropertyType.IsValueType ? "?" : "");
        return $"{Modifiers(accessors[0])}{type} {property.Name}{index} {{{getter}{setter} }}";
    }

    private static string Modifiers(MethodInfo method) =>
        (method.IsFamily || method.IsFamilyOrAssembly ? "protected " : "")
        + (method.IsStatic ? "static " : method.IsAbstract ? "abstract " : method.GetBaseDefinition() != method ? "override " : method.IsVirtual && !method.IsFinal ? "virtual " : "");

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(static parameter =>
        (parameter.IsOut ? "out " : parameter.IsIn ? "in " : parameter.ParameterType.IsByRef ? "ref " : "") + Nullable(parameter) + " " + parameter.Name + (parameter.HasDefaultValue ? " = " + Literal(parameter.RawDefaultValue) : "")));

    private static string Nullable(ParameterInfo parameter)
    {
        Type type = parameter.ParameterType.IsByRef ? parameter.ParameterType.GetElementType()! : parameter.ParameterType;
        return Name(type) + (!type.IsValueType && Nullability.Create(parameter).ReadState == NullabilityState.Nullable ? "?" : "");
    }

    private static string Literal(object? value) => value switch
    {
        null => "default",
        string text => "\"" + text + "\"",
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static string Name(Type type)
    {
        if (type.IsArray)
        {
            return Name(type.GetElementType()!) + "[]";
        }

        if (System.Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Name(underlying) + "?";
        }

        string plain = type.Name.Split('`')[0];
        string outer = type is { IsNested: true, IsGenericParameter: false } ? Name(type.DeclaringType!) + "." : "";
        return outer + plain + Generics(type.IsGenericType ? type.GetGenericArguments() : []);
    }

    private static string Generics(Type[] arguments) => arguments.Length == 0 ? "" : $"<{string.Join(", ", arguments.Select(Name))}>";
}

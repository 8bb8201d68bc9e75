using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>What one policy attribute says, free of compiler types: the name of the method and the arguments that were written.</summary>
/// <remarks>The compiler reads it from an attribute, a tool from a command line; both hand it to <see cref="Planner"/>. Equal declarations compare equal. Immutable, thread-safe.</remarks>
/// <param name="Name">The attribute's name without its suffix, for example <c>FastV</c>. The known names are in <see cref="PolicyMethods"/>.</param>
/// <param name="Arguments">The arguments in the order in which they were written; an argument that was left out is absent.</param>
public sealed record PolicyDeclaration(string Name, EquatableArray<PolicyArgument> Arguments)
{
    /// <summary>Declares a policy.</summary>
    /// <param name="name">The attribute's name without its suffix.</param>
    /// <param name="arguments">The written arguments.</param>
    public PolicyDeclaration(string name, params PolicyArgument[] arguments)
        : this(name, new EquatableArray<PolicyArgument>(arguments))
    {
    }

    /// <summary>The declaration as C# writes it, for example <c>FastV(K = 2, R = 0.5)</c>; the same on every culture.</summary>
    public override string ToString()
    {
        string types = string.Join(", ", Arguments.OfType<TypeArgument>());
        string values = string.Join(", ", Arguments.Where(argument => argument is not TypeArgument));
        return Name + (types.Length == 0 ? "" : "<" + types + ">") + (values.Length == 0 ? "" : "(" + values + ")");
    }

    internal T? Find<T>(string argument)
        where T : PolicyArgument
    {
        foreach (PolicyArgument candidate in Arguments)
        {
            if (candidate is T found && string.Equals(candidate.Name, argument, StringComparison.Ordinal))
            {
                return found;
            }
        }

        return null;
    }
}

/// <summary>One written argument of a policy.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Name">The property or constructor parameter that takes it.</param>
public abstract record PolicyArgument(string Name);

/// <summary>An integer, for example a layer or a count.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Name">The property that takes it.</param>
/// <param name="Value">The number.</param>
public sealed record IntegerArgument(string Name, int Value) : PolicyArgument(Name)
{
    /// <summary>The argument as C# writes it.</summary>
    public override string ToString() => Name + " = " + PlanText.Plain(Value);
}

/// <summary>A real number, for example a ratio.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Name">The property that takes it.</param>
/// <param name="Value">The number.</param>
public sealed record RealArgument(string Name, double Value) : PolicyArgument(Name)
{
    /// <summary>The argument as C# writes it.</summary>
    public override string ToString() => Name + " = " + PlanText.Plain(Value);
}

/// <summary>A list of layers, written without a name; or of layers or counts, written with one.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Name">The constructor parameter or property that takes it.</param>
/// <param name="Layers">The numbers in the order in which they were written.</param>
/// <param name="IsNamed">True if a property takes it.</param>
public sealed record LayersArgument(string Name, EquatableArray<int> Layers, bool IsNamed = false) : PolicyArgument(Name)
{
    /// <summary>The numbers as C# writes them.</summary>
    public override string ToString()
    {
        string list = string.Join(", ", Layers.Select(PlanText.Plain));
        return IsNamed ? Name + " = [" + list + "]" : list;
    }
}

/// <summary>A list of real numbers, for example a ratio for each of some layers.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Name">The property that takes it.</param>
/// <param name="Values">The numbers in the order in which they were written.</param>
public sealed record NumbersArgument(string Name, EquatableArray<double> Values) : PolicyArgument(Name)
{
    /// <summary>The argument as C# writes it.</summary>
    public override string ToString() => Name + " = [" + string.Join(", ", Values.Select(PlanText.Plain)) + "]";
}

/// <summary>A member of an enumeration, or <c>true</c> or <c>false</c>.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Name">The property that takes it.</param>
/// <param name="Member">The member's name, or its number if no member has it.</param>
public sealed record ChoiceArgument(string Name, string Member) : PolicyArgument(Name)
{
    /// <summary>The argument, with the member's bare name.</summary>
    public override string ToString() => Name + " = " + Member;
}

/// <summary>A type that stands for a type parameter, for example a scorer.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Name">The type parameter.</param>
/// <param name="FullName">The type as C# writes it anywhere, with <c>global::</c>.</param>
/// <param name="ShortName">The type as the declaration names it.</param>
public sealed record TypeArgument(string Name, string FullName, string ShortName) : PolicyArgument(Name)
{
    /// <summary>The short name.</summary>
    public override string ToString() => ShortName;
}

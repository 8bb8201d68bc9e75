namespace Espalier.Graphs;

/// <summary>An attribute of a node. Exactly one of the values is set.</summary>
internal sealed record NodeAttribute
{
    private NodeAttribute(string name) => Name = name;

    public string Name { get; }

    public long? Integer { get; private init; }

    public float? Number { get; private init; }

    public string? Text { get; private init; }

    public long[]? Integers { get; private init; }

    public static NodeAttribute Of(string name, long value) => new(name) { Integer = value };

    public static NodeAttribute Of(string name, float value) => new(name) { Number = value };

    public static NodeAttribute Of(string name, string value) => new(name) { Text = value };

    public static NodeAttribute Of(string name, params ReadOnlySpan<long> values) => new(name) { Integers = values.ToArray() };
}

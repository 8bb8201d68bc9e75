namespace Espalier;

/// <summary>Where a model's sessions run.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed class Device
{
    private Device(string name) => Name = name;

    /// <summary>The best device that was found; today always <see cref="Cpu"/>.</summary>
    public static Device Auto { get; } = new("auto");

    /// <summary>The CPU: works everywhere.</summary>
    public static Device Cpu { get; } = new("cpu");

    /// <summary>The name, lower case.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

namespace Espalier.Planning;

/// <summary>How one policy attribute becomes primitives: prune, freeze, exit.</summary>
/// <remarks>A new method is one file beside this one and one line in <see cref="PolicyMethods"/>. Stateless, thread-safe.</remarks>
public abstract class PolicyMethod
{
    private protected PolicyMethod()
    {
    }

    /// <summary>The attribute's name without its suffix, for example <c>FastV</c>.</summary>
    public abstract string Name { get; }

    internal abstract void Lower(PolicyLowering policy);
}

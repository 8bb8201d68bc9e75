namespace Espalier.Planning;

/// <summary>DyVTE (arXiv 2411.19628): behind each layer a gate reads the text; the first that says so lets all visual tokens leave.</summary>
internal sealed class DyVteMethod : PolicyMethod
{
    public override string Name => "DyVte";

    internal override void Lower(PolicyLowering policy) => policy.Gate();
}

namespace Espalier.Planning;

/// <summary>VTW (arXiv 2405.05803): all visual tokens leave before layer K.</summary>
internal sealed class VtwMethod : PolicyMethod
{
    public override string Name => "Vtw";

    internal override void Lower(PolicyLowering policy) =>
        policy.Exit(new Boundary("K", policy.Integer("K", 15), NamesNextLayer: true));
}

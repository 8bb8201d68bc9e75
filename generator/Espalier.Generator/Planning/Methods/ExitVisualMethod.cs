namespace Espalier.Planning;

/// <summary>The primitive <c>ExitVisual</c>: all visual tokens leave after a layer.</summary>
internal sealed class ExitVisualMethod : PolicyMethod
{
    public override string Name => "ExitVisual";

    internal override void Lower(PolicyLowering policy) =>
        policy.Exit(new Boundary("AfterLayer", policy.Integer("AfterLayer", 0), NamesNextLayer: false));
}

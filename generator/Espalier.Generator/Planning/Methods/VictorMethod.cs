namespace Espalier.Planning;

/// <summary>Victor (arXiv 2410.14072): M registers run behind the visual tokens from the first layer on; before layer K the visual tokens leave.</summary>
internal sealed class VictorMethod : PolicyMethod
{
    public override string Name => "Victor";

    internal override void Lower(PolicyLowering policy)
    {
        int registers = policy.Integer("M", 8);
        if (policy.CheckNumber("M", registers >= 1, registers, "at least 1"))
        {
            policy.Exit(new Boundary("K", policy.Integer("K", 3), NamesNextLayer: true), registers);
        }
    }
}

namespace Espalier.Planning;

/// <summary>ShortV (arXiv 2504.00502): visual tokens are frozen in the listed layers. The paper publishes its lists by rank, so any order is fine.</summary>
internal sealed class ShortVMethod : PolicyMethod
{
    public override string Name => "ShortV";

    internal override void Lower(PolicyLowering policy) => LayerList.Lower(policy, policy.Layers("layers"), mayBeUnordered: true);
}

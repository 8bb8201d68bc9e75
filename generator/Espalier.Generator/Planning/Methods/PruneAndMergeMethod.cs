namespace Espalier.Planning;

/// <summary>Prune and Merge: in some tower layers static matrices make fewer rows of the visual tokens, and behind each layer all come back.</summary>
internal sealed class PruneAndMergeMethod : PolicyMethod
{
    private const string Layers = "layers";

    public override string Name => "PruneAndMerge";

    internal override void Lower(PolicyLowering policy)
    {
        EquatableArray<int> layers = policy.Layers(Layers);
        bool fine = policy.CheckNumber(Layers, layers.Count > 0, 0, "at least one layer of the vision tower");
        if (policy.Keep() is { } keep && fine && policy.TowerLayersFrom(0, argument: null) is not null && policy.CheckTowerLayers(Layers, layers))
        {
            policy.MergeTowerLayers(layers, keep);
        }
    }
}

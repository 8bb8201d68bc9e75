using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>SparseVLM+ (version 2.0 of the code of arXiv 2410.04417): SparseVLM by the raters' attention corrected for distance, without recycling and with positions kept.</summary>
internal sealed class SparseVlmPlusMethod : PolicyMethod
{
    private static readonly SparseVlmTables Tables = new(new Dictionary<int, int[]>
    {
        [192] = new[] { 300, 200, 118 },
        [128] = new[] { 238, 108, 60 },
        [96] = new[] { 246, 54, 28 },
        [64] = new[] { 66, 34, 20 },
    });

    public override string Name => "SparseVlmPlus";

    internal override void Lower(PolicyLowering policy)
    {
        int heads = policy.Integer("Heads", 14);
        int there = policy.Geometry.Text.Heads;
        bool fine = policy.CheckNumber("Heads", heads >= 1 && heads <= there, heads, "from 1 to " + PlanText.Plain(there) + ", the heads of a layer");
        if (SparseVlmTables.Layers(policy, 2, 6, 15) is not { } layers || Tables.Counts(policy, layers) is not { } counts || !fine)
        {
            return;
        }

        for (int stage = 0; stage < layers.Count; stage++)
        {
            policy.Prune(
                SparseVlmTables.Behind(policy, layers, stage),
                new KeepRule(policy.Has("Keep") ? "Keep" : policy.Has("Tokens") ? "Tokens" : null, counts[stage], Share: null, Element: policy.Has("Keep") ? stage : -1),
                new Ranking(Score.CorrectedRaterAttention),
                kernel: _ => new Kernel(Name, Scratch: 2 * there, EquatableArray.Of(new KernelArgument("heads", heads)), KernelInputs.Scores | KernelInputs.RaterAttention));
        }
    }
}

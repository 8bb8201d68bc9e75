using System;

namespace Espalier.Planning;

/// <summary>CDPruner (arXiv 2506.10967): of the projected tokens, a subset stays that is diverse and relevant to the text behind the image.</summary>
internal sealed class CDPrunerMethod : PolicyMethod
{
    public override string Name => "CDPruner";

    internal override void Lower(PolicyLowering policy)
    {
        if (policy.Keep() is not { } keep)
        {
            return;
        }

        policy.Reduce(
            Site.Projected,
            keep,
            Score.ConditionalDiversity,
            kernel: tokens => new Kernel(
                Name,
                Scratch: (int)Math.Min(int.MaxValue, (long)tokens * (keep.Of(tokens) + 3L)),
                default,
                KernelInputs.Projected | KernelInputs.TextRelevance));
    }
}

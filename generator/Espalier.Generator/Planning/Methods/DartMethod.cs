using System;

namespace Espalier.Planning;

/// <summary>DART (arXiv 2502.11494): before layer K, pivots with long keys stay, and those visual tokens that are least like them.</summary>
internal sealed class DartMethod : PolicyMethod
{
    public override string Name => "Dart";

    internal override void Lower(PolicyLowering policy)
    {
        double pruned = policy.Real("R", 0.5);
        int image = policy.Integer("ImagePivots", 4);
        int text = policy.Integer("TextPivots", 4);
        bool fine = policy.CheckRatio("R", pruned);
        fine &= policy.CheckNumber("ImagePivots", image is >= 1 and <= 1000, image, "from 1 to 1000");
        fine &= policy.CheckNumber("TextPivots", text is >= 0 and <= 1000, text, "from 0 to 1000");
        if (!fine)
        {
            return;
        }

        double share = 1 - pruned;
        policy.Prune(
            new Boundary("K", policy.Integer("K", 2), NamesNextLayer: true),
            KeepRule.CountedBy("R", tokens => Math.Min(tokens, image + ((int)(tokens * share / (image + text)) * (image + text)))),
            new Ranking(Score.KeyNorm),
            kernel: tokens => new Kernel(
                Name,
                Scratch: (int)Math.Min(int.MaxValue, (2L * tokens.Count) + image + text),
                EquatableArray.Of(
                    new KernelArgument("width", policy.Geometry.Text.Hidden),
                    new KernelArgument("imagePivots", image),
                    new KernelArgument("textPivots", text),
                    new KernelArgument("share", share)),
                KernelInputs.Scores | KernelInputs.TextKeyNorms | KernelInputs.NormedRows));
    }
}

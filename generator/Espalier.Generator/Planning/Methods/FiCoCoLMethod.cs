namespace Espalier.Planning;

/// <summary>FiCoCo-L (arXiv 2411.17686): inside each decoder layer of a range, between attention and feed-forward layer, the most redundant visual tokens go into those that they are correlated to.</summary>
internal sealed class FiCoCoLMethod : PolicyMethod
{
    public override string Name => "FiCoCoL";

    internal override void Lower(PolicyLowering policy)
    {
        string mode = policy.Choice("Mode", "Paper");
        string redundancy = policy.Choice("Redundancy", "RawLogits");
        int leaving = policy.Integer("R", 14);
        double beta = policy.Real("Beta", 0.6);
        double gamma = policy.Real("Gamma", 0.6);
        double epsilon = policy.Real("Epsilon", 0.998);

        // In the last layer only one row is computed, so that a merge there would change nothing.
        int bottom = policy.Geometry.Text.Layers - 2;
        int last = policy.Integer("LastLayer", -1) is var written && written == -1 ? bottom : written;
        int first = policy.Integer("StartLayer", 5);
        bool fine = policy.CheckNumber("LastLayer", last >= 0 && last <= bottom, last, "from 0 to " + PlanText.Plain(bottom) + ", the last layer but one");
        if (!fine)
        {
            return;
        }

        fine = first >= 0 && first <= last;
        if (!fine)
        {
            policy.Report(PlanProblemKind.NumberOutOfRange, policy.Has("StartLayer") ? "StartLayer" : null, -1, "StartLayer", PlanText.Plain(first), "from 0 to " + PlanText.Plain(last) + ", the last layer in which tokens can leave");
        }

        if (mode is not ("Paper" or "Code"))
        {
            policy.Report(PlanProblemKind.UnknownScore, "Mode", -1, mode, "FiCoCoMode");
            fine = false;
        }

        fine &= policy.CheckChoice("Redundancy", redundancy, "FiCoCoRedundancy", "RawLogits", "SoftmaxColumns", "SoftmaxRows");
        fine &= policy.CheckNumber("R", leaving is >= 1 and <= 1_000_000, leaving, "from 1 to 1000000");
        fine &= policy.CheckNumber("Beta", beta is >= 0 and <= 1, beta, "from 0 to 1");
        fine &= policy.CheckNumber("Gamma", gamma is >= 0 and <= 1, gamma, "from 0 to 1");
        fine &= policy.CheckNumber("Epsilon", epsilon is >= 0 and <= 1, epsilon, "from 0 to 1");
        for (int layer = first; fine && layer <= last; layer++)
        {
            policy.Prune(
                new Boundary("StartLayer", layer, NamesNextLayer: false, IsInside: true),
                new KeepRule(policy.Has("R") ? "R" : null, Tokens: null, Share: null, Leaving: leaving),
                new Ranking(Score.Redundancy),
                Positions.Renumber,
                Compress.MergeIntoKept,
                _ => new Kernel(Name, Scratch: 2 * policy.Geometry.VisualTokens, EquatableArray.Of(
                    new KernelArgument("mode", 0, "FiCoCoMode." + mode),
                    new KernelArgument("redundancy", 0, "FiCoCoRedundancy." + redundancy),
                    new KernelArgument("beta", beta),
                    new KernelArgument("gamma", gamma),
                    new KernelArgument("epsilon", epsilon)), redundancy == "RawLogits" ? KernelInputs.Map : KernelInputs.SoftmaxMap));
        }
    }
}

namespace Espalier.Planning;

/// <summary>G-Prune (AAAI 2025): of the projected tokens, those stay in which most information gathers when norms are propagated over the graph of similar tokens.</summary>
internal sealed class GPruneMethod : PolicyMethod
{
    public override string Name => "GPrune";

    internal override void Lower(PolicyLowering policy)
    {
        double threshold = policy.Real("Threshold", 0.5);
        double temperature = policy.Real("Temperature", 0.03);
        int iterations = policy.Integer("Iterations", 5);
        bool numbers = policy.CheckNumber("Threshold", threshold is > 0 and < 1, threshold, "above 0 and below 1");
        numbers &= policy.CheckNumber("Temperature", temperature is >= 0.01 and <= 100, temperature, "from 0.01 to 100");
        numbers &= policy.CheckNumber("Iterations", iterations is >= 1 and <= 1000, iterations, "from 1 to 1000");
        if (policy.CountOrShare("Keep", "KeepRatio", 0.5, truncates: true) is not { } keep || !numbers)
        {
            return;
        }

        policy.Reduce(
            Site.Projected,
            keep,
            Score.GraphPropagation,
            positions: Positions.Keep,
            kernel: tokens => new Kernel(Name, Scratch: (int)System.Math.Min(int.MaxValue, (long)tokens * (tokens + 3)), EquatableArray.Of(
                new KernelArgument("threshold", threshold),
                new KernelArgument("temperature", temperature),
                new KernelArgument("iterations", iterations))));
    }
}

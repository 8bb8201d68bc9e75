namespace Espalier.Planning;

/// <summary>FiCoCo-V (arXiv 2411.17686): in each tower layer from the middle on, the most redundant tokens are merged into those that they are correlated to.</summary>
internal sealed class FiCoCoVMethod : PolicyMethod
{
    public override string Name => "FiCoCoV";

    internal override void Lower(PolicyLowering policy)
    {
        string mode = policy.Choice("Mode", "Paper");
        string redundancy = policy.Choice("Redundancy", "RawLogits");
        int leaving = policy.Integer("R", 42);
        double lambda = policy.Real("Lambda", mode == "Code" ? 0.65 : 0.35);
        double epsilon = policy.Real("Epsilon", 0.998);
        int window = policy.Integer("Window", 2);
        double coefficient = policy.Real("Coefficient", 2);
        bool fine = policy.CheckChoice("Mode", mode, "FiCoCoMode", "Paper", "Code");
        fine &= policy.CheckChoice("Redundancy", redundancy, "FiCoCoRedundancy", "RawLogits", "SoftmaxColumns", "SoftmaxRows");
        fine &= policy.CheckNumber("R", leaving is >= 0 and <= 1_000_000, leaving, "from 1 to 1000000");
        fine &= policy.CheckNumber("Lambda", lambda is >= 0 and <= 1, lambda, "from 0 to 1");
        fine &= policy.CheckNumber("Epsilon", epsilon is >= 0 and <= 1, epsilon, "from 0 to 1");
        fine &= policy.CheckNumber("Window", window is >= 1 and <= 1000, window, "from 1 to 1000");
        fine &= policy.CheckNumber("Coefficient", coefficient is >= 1 and <= 1000, coefficient, "from 1 to 1000");
        int written = policy.Integer("StartLayer", -1);
        int start = written == -1 ? policy.Geometry.Vision.Layers / 2 : written;
        if (policy.TowerLayersFrom(start, "StartLayer") is not { } layers || !fine)
        {
            return;
        }

        VisionGeometry vision = policy.Geometry.Vision;
        TowerReads reads = (redundancy == "RawLogits" ? TowerReads.Logits : TowerReads.Probabilities) | (vision.HasCls ? TowerReads.None : TowerReads.Keys);
        policy.ReduceInTower(
            policy.Has("R") ? "R" : null,
            new TowerReduction(start, TowerReduction.Constant(leaving, layers), reads),
            Score.Redundancy,
            tokens => new Kernel(Name, (3 * tokens) + (vision.HasCls ? 0 : vision.HeadDim), EquatableArray.Of(
                new KernelArgument("grid", vision.GridSize),
                new KernelArgument("mode", 0, "FiCoCoMode." + mode),
                new KernelArgument("redundancy", 0, "FiCoCoRedundancy." + redundancy),
                new KernelArgument("lambda", lambda),
                new KernelArgument("epsilon", epsilon),
                new KernelArgument("window", window),
                new KernelArgument("coefficient", coefficient))));
    }
}

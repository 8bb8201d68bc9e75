using System;

namespace Espalier.Planning;

/// <summary>Sparsity Meets Similarity (arXiv 2409.01162): the patches most similar to the CLS token, up to the inflection of the sorted similarities; then, inside the decoder, those that the text attends to.</summary>
internal sealed class SparsityMeetsSimilarityMethod : PolicyMethod
{
    // The abstract: comparable accuracy at 22 % of the original tokens on average. It does not divide them between the rounds.
    private const double TypicalShare = 0.22;

    public override string Name => "SparsityMeetsSimilarity";

    internal override void Lower(PolicyLowering policy)
    {
        string similarity = policy.Choice("Similarity", "Cosine");
        string cut = policy.Choice("Cut", "Chord");
        string round = policy.Choice("Round2", "Visual");
        int window = policy.Integer("Window", 9);
        double least = policy.Real("AtLeast", 0.05);
        double most = policy.Real("AtMost", 1);
        double theta = policy.Real("Theta", 1);
        bool fine = policy.CheckChoice("Similarity", similarity, "ClsSimilarity", "Cosine", "ClsAttention");
        fine &= policy.CheckChoice("Cut", cut, "InflectionCut", "Chord", "SecondDifference", "MaxDerivative", "LocalOutlier");
        fine &= policy.CheckChoice("Round2", round, "SecondRound", "None", "Visual", "VisualAndText");
        fine &= policy.CheckNumber("Window", window is >= 1 and <= 99 && window % 2 == 1, window, "an odd number from 1 to 99");
        fine &= policy.CheckNumber("AtLeast", least is >= 0 and <= 1, least, "from 0 to 1");
        fine &= policy.CheckNumber("AtMost", most is > 0 and <= 1, most, "above 0 and up to 1");
        fine &= policy.CheckNumber("Theta", theta is > 0 and <= 100, theta, "above 0 and up to 100");
        int layer = policy.Geometry.Vision.FeatureLayers - 1;
        TowerScores? scores = policy.ClsAttention(layer, layer, argument: null, need: similarity == "Cosine" ? "the tower's CLS token" : "the attention that the CLS token pays to the patches");
        if (!fine || scores is null || Bounds(policy, least, most) is not { } bounds)
        {
            return;
        }

        policy.Reduce(
            Site.VisionOutput,
            KeepRule.FoundInTheImage(tokens => Math.Min(tokens, bounds.Most), tokens => TokenShare.Nearest(tokens, TypicalShare)),
            similarity == "Cosine" ? Score.ClsSimilarity : Score.ClsAttention,
            towerScores: scores,
            kernel: tokens => Kernel(similarity == "Cosine", tokens, cut, window, bounds.Least));
        if (round != "None")
        {
            policy.Prune(
                new Boundary("K2", policy.Integer("K2", 2), NamesNextLayer: true),
                KeepRule.FoundInTheImage(tokens => tokens, tokens => tokens),
                new Ranking(Score.TextAttention),
                kernel: _ => new Kernel("RelevantTokens", Scratch: 0, EquatableArray.Of(new KernelArgument("theta", theta)), KernelInputs.Scores),
                relevantText: round == "VisualAndText" ? theta : 0);
        }
    }

    private static (int Least, int Most)? Bounds(PolicyLowering policy, double least, double most)
    {
        int tokens = policy.Geometry.VisualTokens;
        int atLeast = Math.Max(1, (int)Math.Ceiling(tokens * least));
        int atMost = TokenShare.Down(tokens, most);
        if (atLeast <= atMost)
        {
            return (atLeast, atMost);
        }

        policy.Report(
            PlanProblemKind.BoundsCrossed, policy.Has("AtMost") ? "AtMost" : policy.Has("AtLeast") ? "AtLeast" : null, -1,
            PlanText.Count(atLeast), PlanText.Count(atMost), PlanText.Count(tokens));
        return null;
    }

    private Kernel Kernel(bool byCosine, int tokens, string cut, int window, int least)
    {
        KernelArgument where = new("cut", 0, "InflectionCut." + cut);
        KernelArgument smoothing = new("window", window);
        KernelArgument bound = new("least", least);
        return byCosine
            ? new Kernel(Name, Scratch: 5 * tokens, EquatableArray.Of(new KernelArgument("tokens", tokens), where, smoothing, bound), KernelInputs.Features)
            : new Kernel(Name, Scratch: 4 * tokens, EquatableArray.Of(where, smoothing, bound), KernelInputs.ClsAttention);
    }
}

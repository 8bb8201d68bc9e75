namespace Espalier.Planning;

/// <summary>The primitive <c>MergeVisual</c>: the visual tokens that a scorer of the user's ranks highest stay, each of the others is averaged into the most similar of them.</summary>
internal sealed class MergeVisualMethod : PolicyMethod
{
    public override string Name => "MergeVisual";

    internal override void Lower(PolicyLowering policy)
    {
        if (policy.Keep() is { } keep && policy.Type("TScorer") is { } scorer)
        {
            policy.Prune(
                new Boundary("AfterLayer", policy.Integer("AfterLayer", 0), NamesNextLayer: false),
                keep,
                new Ranking(Score.Custom, ScorerType: scorer),
                compress: Compress.MergeIntoSimilar,
                kernel: tokens => new Kernel("SimilarTokens", Scratch: 2 * tokens.Count, default, KernelInputs.Scores | KernelInputs.Rows));
        }
    }
}

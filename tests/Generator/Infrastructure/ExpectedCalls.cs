using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>What the recorder must have been told when a loop did what its plan says.</summary>
internal static class ExpectedCalls
{
    /// <summary>The calls that a plan asks for, told layer by layer from its public face alone.</summary>
    public static IEnumerable<string> Of(ReductionPlan plan)
    {
        foreach (string call in BeforeTheDecoder(plan))
        {
            yield return call;
        }

        int visual = plan.Steps.Where(step => step.IsVisionSide).Aggregate(plan.Geometry.VisualTokens, (tokens, step) => Left(step, tokens, tokens));
        int entered = visual;
        yield return $"prefill {visual}{(plan.EntersDynamic ? $" of at most {plan.DecoderVisualTokens}" : "")}, {plan.Steps.Sum(step => step.Registers)} registers";
        if (plan.Steps.Any(IsRated))
        {
            yield return "raters";
        }

        foreach (Step step in plan.Steps.Where(step => step.AfterLayer < 0 && step.Site == Site.DecoderBoundary))
        {
            foreach (string call in Reduce(step, visual, entered))
            {
                yield return call;
            }

            visual = Left(step, visual, entered);
        }

        for (int layer = 0; layer < plan.Layers; layer++)
        {
            if (plan.Steps.SingleOrDefault(step => step.Site == Site.InsideLayer && step.AfterLayer == layer) is { } inside)
            {
                yield return $"attention {layer} over {visual}";
                foreach (string call in Reduce(inside, visual, entered))
                {
                    yield return call;
                }

                visual = inside.TokensAfter;
                yield return $"feed-forward {layer} over {visual}";
            }

            string name = plan.KindAt(layer) switch
            {
                LayerKind.Dense => "dense",
                LayerKind.Scored => "scored",
                LayerKind.Frozen => "frozen",
                LayerKind.TextScored => "text scored",
                LayerKind.FrozenTextScored => "frozen text scored",
                LayerKind.RaterScored => "rater scored",
                LayerKind.FrozenRaterScored => "frozen rater scored",
                LayerKind.LastRow => "last row of",
                LayerKind.PageRanked => "page ranked",
                LayerKind.Partial => "partial",
                LayerKind.PartialScored => "partial scored",
                LayerKind.PartialTextScored => "partial text scored",
                LayerKind.KeyNormed => "key normed",
                LayerKind.FrozenKeyNormed => "frozen key normed",
                _ => "frozen scored",
            };
            Step? step = plan.Steps.FirstOrDefault(step => step.AfterLayer == layer && step.Site == Site.DecoderBoundary);
            bool scored = step is { Score: Score.LastQueryAttention or Score.TextAttention or Score.PageRank or Score.KeyNorm } || (step is not null && IsRated(step));
            if (!plan.KindAt(layer).IsHalved())
            {
                yield return $"{name} {layer} over {visual}" + (scored ? $" into {visual}" : "");
            }

            if (step is not null)
            {
                foreach (string call in Reduce(step, visual, entered))
                {
                    yield return call;
                }

                visual = Left(step, visual, entered);
            }

            if (visual > 0 && plan.Gates is { } gates && layer >= gates.FirstLayer && layer <= gates.LastLayer)
            {
                yield return $"gate {layer}";
                if (layer >= 3)
                {
                    yield return "exit";
                    visual = 0;
                }
            }
        }

        yield return "logits";
        yield return "decode";
        if (plan.Eviction is { } eviction)
        {
            yield return $"evict all but {eviction.Initial} and {eviction.Neighbours}";
        }

        int skippedTo = -1;
        for (int layer = 0; layer < plan.Layers; layer++)
        {
            if (plan.Skips is not { } skips || layer < skips.FirstLayer || layer > skips.LastLayer)
            {
                yield return $"decode {layer}";
                continue;
            }

            yield return $"decode attention {layer}";
            yield return layer <= skippedTo ? $"skip {layer}" : $"decode feed-forward {layer}";
            skippedTo = layer > skippedTo && (layer % 4 == 0 ? 0 : 1) >= skips.Threshold ? layer + skips.Following : skippedTo;
        }

        yield return "logits";
    }

    /// <summary>What a step leaves on the recorder, where a selection that counts for itself finds half of what it may keep.</summary>
    private static int Left(Step step, int visual, int entered) => step.Count switch
    {
        null => step.TokensAfter,
        { Rule: CountRule.Found } when step.Compress == Compress.Recycle => Recycling.Left(visual, Recycled(step, visual), step.Kernel!.Find("tau")!.Value),
        { Rule: CountRule.Found } when step.Score == Score.KeyNorm => WithPivots(visual, (int)step.Kernel!.Find("imagePivots")!.Value, (int)step.Kernel.Find("textPivots")!.Value, step.Kernel.Find("share")!.Value),
        { Rule: CountRule.Found } => ((step.IsVisionSide ? step.TokensAfter : visual) + 1) / 2,
        { Rule: CountRule.AtMost } => Math.Min(visual, step.TokensAfter),
        { Rule: CountRule.Share } count => Math.Max(1, (int)Math.Round(visual * count.Share, MidpointRounding.ToEven)),
        { Rule: CountRule.ShareDown } count => Math.Max(1, (int)(visual * count.Share)),
        { Rule: CountRule.ShareOfEntering } count => Math.Min(visual, Math.Max(1, (int)(entered * count.Share))),
        var count => throw new InvalidOperationException(count.Rule.ToString()),
    };

    /// <summary>What SparseVLM keeps as it is: by a table its number, where the recorder can say no less without asking for more scratch than the table needs; by rank half.</summary>
    private static int Recycled(Step step, int visual) => step.Kernel!.Counting?.Find("keep") is { } keep ? Math.Max(0, Math.Min((int)keep.Value, visual - 1)) : visual / 2;

    /// <summary>What DART leaves, which its kernel counts for itself.</summary>
    private static int WithPivots(int visual, int image, int text, double share) => Math.Min(visual, image + ((int)(visual * share / (image + text)) * (image + text)));

    private static bool IsRated(Step step) => step.Score is Score.RaterAttention or Score.CorrectedRaterAttention;

    private static IEnumerable<string> Reduce(Step step, int visual, int entered)
    {
        int left = Left(step, visual, entered);
        if (step.IsExit)
        {
            yield return "exit";
            yield break;
        }

        if (step.ScorerType is { } scorer)
        {
            yield return $"{scorer.Split('<')[0].Split('.', ':')[^1]} over {visual} into {visual}";
        }
        else if (step.Score == Score.NextLayerAttention)
        {
            yield return $"ask {step.AfterLayer + 1} over {visual} into {visual}";
        }

        // The recorder's scores ascend, so the last tokens stay.
        int first = step.Score == Score.Random ? step.Seed : visual - left;
        yield return step.IsMerge ? $"merge {visual} into {left} from {first}" : $"keep {left} from {first}";

        if (step.RelevantText > 0)
        {
            yield return "keep text";
        }

        if (step.Positions == Positions.Renumber)
        {
            yield return "renumber";
        }
    }

    private static IEnumerable<string> OfTheTower(ReductionPlan plan)
    {
        yield return "patches";
        int visual = plan.Geometry.VisualTokens;
        int whole = 0;
        int layers = plan.Geometry.Vision.FeatureLayers;
        for (int layer = 0; layer <= layers; layer++)
        {
            // A run of layers ends where the next one runs on fewer rows, or on all again.
            if (whole < layer && layer < layers && plan.MergedTower is { } merged && merged.Has(layer) != merged.Has(layer - 1))
            {
                yield return (merged.Has(whole) ? "merged " : "") + $"tower {whole} to {layer - 1} over {visual}";
                whole = layer;
            }

            Step? step = plan.Steps.SingleOrDefault(step => step.Tower is { } tower && tower.FirstLayer <= layer && layer <= tower.LastLayer);
            if (layer < layers && (step is null || (step.Tower is { IsAhead: true } looking && looking.Ahead[layer - looking.FirstLayer] == 0)))
            {
                continue;
            }

            if (whole < layer)
            {
                yield return (plan.MergedTower?.Has(whole) == true ? "merged " : "") + $"tower {whole} to {layer - 1} over {visual}";
            }

            if (step?.Tower is { IsAhead: true } tower)
            {
                whole = layer;
                int left = visual - tower.Leaving[layer - tower.FirstLayer];
                yield return $"look ahead {layer} to {layer + tower.Ahead[layer - tower.FirstLayer] - 1} over {visual}";
                yield return $"merge {visual} into {left} by {visual}";
                visual = left;
                continue;
            }

            whole = layer + 1;
            if (step is not null)
            {
                int left = visual - step.Tower!.Leaving[layer - step.Tower.FirstLayer];
                yield return $"attend {layer} over {visual}";
                yield return $"scratch {step.Kernel!.Scratch}";
                yield return $"merge {visual} into {left} by {(step.Score == Score.Redundancy ? plan.Geometry.Vision.GridSize : -1)}";
                yield return $"feed forward {layer} over {left}";
                visual = left;
            }
        }
    }

    private static IEnumerable<string> BeforeTheDecoder(ReductionPlan plan)
    {
        Step[] steps = [.. plan.Steps.Where(step => step.IsVisionSide)];
        if (steps.Length == 0 && !plan.ReducesTower)
        {
            yield break;
        }

        int visual = plan.Geometry.VisualTokens;
        Step? output = steps.FirstOrDefault(step => step.Site == Site.VisionOutput);
        foreach (string call in plan.ReducesTower ? OfTheTower(plan) : [output is null ? "tower" : "scored tower"])
        {
            yield return call;
        }

        visual = steps.LastOrDefault(step => step.Site == Site.InsideTower)?.TokensAfter ?? visual;
        if (output is not null)
        {
            int left = Left(output, visual, visual);
            if (output.Score == Score.AttentionAndText)
            {
                yield return $"score {visual} by text";
            }

            if (output.Kernel is { Scratch: > 0 } kernel)
            {
                yield return $"scratch {kernel.Scratch}";
            }

            yield return output.IsMerge
                ? $"merge {left}, {output.Kernel!.Arguments.Single(static argument => argument.Name is "contextual" or "neighbours").Value} contextual"
                : $"keep {left} from {visual - left}";
            visual = left;
        }

        yield return $"project {visual}";
        if (steps.FirstOrDefault(step => step.Site == Site.Projected) is { } projected)
        {
            int left = Left(projected, visual, visual);
            yield return $"scratch {projected.Kernel!.Scratch}";
            yield return projected.IsMerge
                ? $"merge {left}, {projected.Kernel!.Arguments[0].Value} contextual"
                : $"keep {left} from {visual - left}";
        }
    }
}

using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>The plan, interpreted layer by layer in the plainest way: no segments, no literals, selection by sorting. What the generated loop must equal bit for bit.</summary>
internal class NaiveTwin(Checkpoint checkpoint, ReductionPlan plan) : VisionLanguageModel(checkpoint, plan, null)
{
    protected override void EncodeImage(ImagePass pass)
    {
        Step? output = LoadedPlan.Steps.SingleOrDefault(static step => step.Site == Site.VisionOutput);
        if (LoadedPlan.ReducesTower)
        {
            NaiveTower.Run(pass, LoadedPlan);
        }
        else if (output is null)
        {
            pass.RunTower();
        }
        else
        {
            pass.RunScoredTower();
            float[]? weights;
            int[] kept;
            if (output.Score == Score.AttentionAndText)
            {
                pass.ScoreByText();
                kept = NaiveRecovery.Select(output, pass.ClsAttention.ToArray(), pass.Keys.ToArray(), pass.TextScores.ToArray(), out weights);
            }
            else
            {
                kept = NaiveKernels.Select(output, pass.ClsAttention.ToArray(), pass.Keys.ToArray(), pass.Features.ToArray(), out weights);
            }

            if (weights is null)
            {
                pass.Keep(kept);
            }
            else
            {
                weights.CopyTo(pass.Weights(output.TokensAfter));
                pass.Merge(kept);
            }
        }

        pass.Project();
        if (LoadedPlan.Steps.SingleOrDefault(static step => step.Site == Site.Projected) is { } projected)
        {
            if (projected.IsMerge)
            {
                int[] merged = NaiveKernels.Halve(projected, pass.Projected.ToArray(), pass.VisualTokens, out float[] halves);
                halves.CopyTo(pass.Weights(projected.TokensAfter));
                pass.Merge(merged);
                return;
            }

            pass.Keep(NaiveKernels.Select(projected, pass.Projected.ToArray(), pass.VisualTokens, Left(projected, pass.VisualTokens, pass.VisualTokens), projected.Score == Score.ConditionalDiversity ? pass.TextRelevance : default));
        }
    }

    protected override void Prefill(ForwardPass pass)
    {
        if (LoadedPlan.Steps.Any(static step => step.IsVisionSide && step.Count is not null))
        {
            pass.BeginPrefillAtMost(LoadedPlan.DecoderVisualTokens, LoadedPlan.Steps.Sum(static step => step.Registers));
        }
        else
        {
            pass.BeginPrefill(LoadedPlan.Steps.LastOrDefault(static step => step.IsVisionSide)?.TokensAfter ?? LoadedPlan.Geometry.VisualTokens, LoadedPlan.Steps.Sum(static step => step.Registers));
        }

        if (LoadedPlan.Steps.Any(static step => step.Score is Score.RaterAttention or Score.CorrectedRaterAttention))
        {
            pass.ChooseRaters();
        }

        Reduce(pass, -1, []);
        for (int layer = 0; layer < LoadedPlan.Geometry.Text.Layers; layer++)
        {
            BeforeLayer(layer);
            Step? inside = LoadedPlan.Steps.SingleOrDefault(step => step.Site == Site.InsideLayer && step.AfterLayer == layer);
            LayerMode mode = LoadedPlan.Segments.Single(s => s.FirstLayer <= layer && layer <= s.LastLayer).Mode;
            bool frozen = mode == LayerMode.Frozen;
            bool partial = mode == LayerMode.Partial;
            var scores = new float[pass.VisualTokens];
            bool scored = LoadedPlan.Steps.Any(s => s.AfterLayer == layer && s.Score == Score.LastQueryAttention);
            bool textScored = LoadedPlan.Steps.Any(s => s.AfterLayer == layer && s.Score == Score.TextAttention);
            bool raterScored = LoadedPlan.Steps.Any(s => s.AfterLayer == layer && s.Score is (Score.RaterAttention or Score.CorrectedRaterAttention));
            switch (frozen, scored)
            {
                case (_, _) when layer == LoadedPlan.Geometry.Text.Layers - 1:
                    pass.RunLastRow(layer);
                    break;
                case (_, _) when inside is not null:
                    pass.RunAttention(layer);
                    RowMerge merge = pass.Merge(inside.TokensAfter);
                    NaiveKernels.FiCoCoL(inside, pass.AttentionMap, merge);
                    pass.MergeVisual(merge);
                    pass.RenumberRows();
                    pass.RunFeedForward(layer);
                    scores = new float[pass.VisualTokens];
                    break;
                case (_, _) when LoadedPlan.Steps.Any(s => s.AfterLayer == layer && s.Score == Score.KeyNorm) && frozen:
                    pass.RunFrozenKeyNormed(layer, scores);
                    break;
                case (_, _) when LoadedPlan.Steps.Any(s => s.AfterLayer == layer && s.Score == Score.KeyNorm):
                    pass.RunKeyNormed(layer, scores);
                    break;
                case (_, _) when LoadedPlan.Steps.Any(s => s.AfterLayer == layer && s.Score == Score.PageRank):
                    pass.RunPageRanked(layer, scores);
                    break;
                case (_, true) when partial:
                    pass.RunPartialScored(layer, scores);
                    break;
                case (_, false) when partial && textScored:
                    pass.RunPartialTextScored(layer, scores);
                    break;
                case (_, false) when partial:
                    pass.RunPartial(layer);
                    break;
                case (false, false) when raterScored:
                    pass.RunRaterScored(layer, scores);
                    break;
                case (true, false) when raterScored:
                    pass.RunFrozenRaterScored(layer, scores);
                    break;
                case (false, false) when textScored:
                    pass.RunTextScored(layer, scores);
                    break;
                case (true, false) when textScored:
                    pass.RunFrozenTextScored(layer, scores);
                    break;
                case (false, false):
                    pass.RunDense(layer);
                    break;
                case (false, true):
                    pass.RunScored(layer, scores);
                    break;
                case (true, false):
                    pass.RunFrozen(layer);
                    break;
                case (true, true):
                    pass.RunFrozenScored(layer, scores);
                    break;
            }

            Reduce(pass, layer, scores);
            if (pass.VisualTokens > 0 && LoadedPlan.Gates is { } gates && gates.FirstLayer <= layer && layer <= gates.LastLayer && pass.Gate(layer))
            {
                pass.ExitVisual();
            }
        }

        pass.EndPrefill();
    }

    private static int Left(Step step, int visual, int entered) => step.Count switch
    {
        null => step.TokensAfter,
        { Rule: CountRule.AtMost } => Math.Min(visual, step.TokensAfter),
        { Rule: CountRule.Share } count => Math.Max(1, (int)Math.Round(visual * count.Share, MidpointRounding.ToEven)),
        { Rule: CountRule.ShareDown } count => Math.Max(1, (int)(visual * count.Share)),
        { Rule: CountRule.ShareOfEntering } count => Math.Min(visual, Math.Max(1, (int)(entered * count.Share))),
        var count => throw new InvalidOperationException($"The twin does not know how {count.Rule} counts."),
    };

    private void Reduce(ForwardPass pass, int layer, float[] scores)
    {
        foreach (Step step in LoadedPlan.Steps.Where(s => s.AfterLayer == layer && s.Site == Site.DecoderBoundary))
        {
            if (step.IsExit)
            {
                pass.ExitVisual();
                continue;
            }

            if (step.Compress == Compress.Recycle)
            {
                pass.MergeVisual(NaiveSparseVlm.Recycle(step, pass, scores));
                pass.RenumberRows();
                continue;
            }

            if (step.Score == Score.KeyNorm)
            {
                pass.KeepVisual(NaiveKernels.Pivots(step, scores, pass.TextKeyNorms.ToArray(), pass.FinalNorm().ToArray()));
                continue;
            }

            var ranks = new float[pass.VisualTokens];
            int left = step.Count?.Rule == CountRule.Found ? 0 : Left(step, ranks.Length, pass.EnteredTokens);
            switch (step.Score)
            {
                case Score.CorrectedRaterAttention:
                    ranks = NaiveSparseVlm.Corrected(step, pass.RaterAttention);
                    break;
                case Score.LastQueryAttention or Score.TextAttention or Score.PageRank or Score.RaterAttention:
                    scores.CopyTo(ranks, 0);
                    break;
                case Score.NextLayerAttention:
                    pass.ScoreAhead(layer + 1, ranks);
                    break;
                case Score.Custom:
                    Assert.Equal("global::" + typeof(Declared.NormScorer).FullName, step.ScorerType);
                    pass.ScoreVisual<Declared.NormScorer>(ranks);
                    break;
                case Score.Random:
                    // Drawn one by one without an early end: the tokens that chance picks outrank the others.
                    var random = new SplitMix64(unchecked((ulong)step.Seed));
                    int chosen = 0;
                    for (int i = 0; i < ranks.Length; i++)
                    {
                        bool stays = (int)(((UInt128)random.Next() * (ulong)(ranks.Length - i)) >> 64) < left - chosen;
                        ranks[i] = stays ? 1 : 0;
                        chosen += stays ? 1 : 0;
                    }

                    break;
                default:
                    throw new InvalidOperationException($"The twin does not know the score {step.Score}.");
            }

            if (step.Kernel?.Name == "RelevantTokens")
            {
                double threshold = ranks.Sum(static rank => (double)rank) / ranks.Length * step.Kernel.Arguments.Single().Value;
                left = Math.Max(1, ranks.Count(rank => rank >= threshold));
            }

            if (step.Kernel?.Name == "SparseVlm")
            {
                left = NaiveSparseVlm.Left(step, pass, ranks.Length);
            }

            int[] kept = [.. Enumerable.Range(0, ranks.Length).OrderByDescending(i => ranks[i]).ThenBy(i => i).Take(left).Order()];
            if (step.Compress == Compress.MergeIntoSimilar)
            {
                RowMerge merge = pass.Merge(kept.Length);
                NaiveKernels.Fill(merge, kept, NaiveKernels.Average(pass.VisualRows.ToArray(), ranks.Length, kept));
                pass.MergeVisual(merge);
            }
            else
            {
                pass.KeepVisual(kept);
            }

            if (step.RelevantText > 0)
            {
                pass.KeepRelevantText(step.RelevantText);
            }

            if (step.Positions == Positions.Renumber)
            {
                pass.RenumberRows();
            }
        }
    }

    /// <summary>Called before each layer of a prefill.</summary>
    protected virtual void BeforeLayer(int layer)
    {
    }

    protected override void DecodeStep(ForwardPass pass)
    {
        pass.BeginDecode();
        if (LoadedPlan.Eviction is { } eviction)
        {
            pass.EvictText(eviction.Initial, eviction.Neighbours);
        }

        var skipped = new HashSet<int>();
        for (int layer = 0; layer < LoadedPlan.Geometry.Text.Layers; layer++)
        {
            if (LoadedPlan.Skips is not { } skips || layer < skips.FirstLayer || layer > skips.LastLayer)
            {
                pass.RunDecode(layer);
                continue;
            }

            pass.RunDecodeAttention(layer);
            if (skipped.Contains(layer))
            {
                pass.SkipFeedForward(layer);
            }
            else if (pass.RunDecodeFeedForward(layer) >= skips.Threshold && pass.AnswerTokens > skips.WarmUp)
            {
                skipped.UnionWith(Enumerable.Range(layer + 1, skips.Following));
            }
        }

        pass.EndDecode();
    }
}

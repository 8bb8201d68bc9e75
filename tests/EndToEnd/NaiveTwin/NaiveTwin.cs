using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>The plan, interpreted layer by layer in the plainest way: no segments, no literals, selection by sorting. What the generated loop must equal bit for bit.</summary>
internal sealed class NaiveTwin(Checkpoint checkpoint, ReductionPlan plan) : VisionLanguageModel(checkpoint, plan, null)
{
    protected override void Prefill(ForwardPass pass)
    {
        pass.BeginPrefill(LoadedPlan.Geometry.VisualTokens);
        for (int layer = 0; layer < LoadedPlan.Geometry.Text.Layers; layer++)
        {
            bool frozen = LoadedPlan.Segments.Single(s => s.FirstLayer <= layer && layer <= s.LastLayer).Mode == LayerMode.Frozen;
            var scores = new float[pass.VisualTokens];
            List<Step> steps = [.. LoadedPlan.Steps.Where(s => s.AfterLayer == layer)];
            bool scored = steps.Exists(static s => s.Score == Score.LastQueryAttention);
            switch (frozen, scored)
            {
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

            foreach (Step step in steps)
            {
                if (step.IsExit)
                {
                    pass.ExitVisual();
                }
                else
                {
                    pass.KeepVisual([.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).ThenBy(i => i).Take(step.TokensAfter).Order()]);
                }
            }
        }

        pass.EndPrefill();
    }

    protected override void DecodeStep(ForwardPass pass)
    {
        pass.BeginDecode();
        for (int layer = 0; layer < LoadedPlan.Geometry.Text.Layers; layer++)
        {
            pass.RunDecode(layer);
        }

        pass.EndDecode();
    }
}

using System.Collections.Generic;

namespace Espalier.Planning;

/// <content>What happens inside the vision tower.</content>
public sealed partial class ReductionPlan
{
    /// <summary>True if visual tokens leave inside the tower, or layers of it run on fewer rows, so that it runs in parts.</summary>
    public bool ReducesTower => MergedTower is not null || (Steps.Count > 0 && Steps[0].Site == Site.InsideTower);

    /// <summary>Visual tokens that leave the tower: all, unless it reduces them.</summary>
    public int TowerVisualTokens
    {
        get
        {
            int tokens = Geometry.VisualTokens;
            foreach (Step step in Steps)
            {
                tokens = step.Site == Site.InsideTower ? step.TokensAfter : tokens;
            }

            return tokens;
        }
    }

    /// <summary>The tower layers that run for the features, cut where a reduction begins or ends.</summary>
    public EquatableArray<TowerRun> TowerRuns()
    {
        var runs = new List<TowerRun>();
        int layer = 0;
        int tokens = Geometry.VisualTokens;
        foreach (Step step in Steps)
        {
            if (step.Tower is not { } tower)
            {
                continue;
            }

            if (tower.FirstLayer > layer)
            {
                AddWhole(runs, layer, tower.FirstLayer - 1, tokens);
            }

            if (tower.IsAhead)
            {
                AddAhead(runs, tower, tokens, step);
            }
            else
            {
                runs.Add(new TowerRun(tower.FirstLayer, tower.LastLayer, tokens, step));
            }

            layer = tower.LastLayer + 1;
            tokens = step.TokensAfter;
        }

        if (layer < Geometry.Vision.FeatureLayers)
        {
            AddWhole(runs, layer, Geometry.Vision.FeatureLayers - 1, tokens);
        }

        return new EquatableArray<TowerRun>(runs);
    }

    /// <summary>Adds layers between steps, cut where they begin or end to run on fewer rows.</summary>
    private void AddWhole(List<TowerRun> runs, int first, int last, int tokens)
    {
        for (int layer = first; layer <= last; layer++)
        {
            int merged = MergedTower?.Has(layer) == true ? MergedTower.Rows : 0;
            if (layer > first && runs[runs.Count - 1].MergedInto == merged)
            {
                runs[runs.Count - 1] = runs[runs.Count - 1] with { LastLayer = layer };
            }
            else
            {
                runs.Add(new TowerRun(layer, layer, tokens, Step: null, merged));
            }
        }
    }

    /// <summary>Adds a run from each layer before which tokens leave to the next.</summary>
    private static void AddAhead(List<TowerRun> runs, TowerReduction tower, int tokens, Step step)
    {
        int first = tower.FirstLayer;
        for (int layer = first + 1; layer <= tower.LastLayer + 1; layer++)
        {
            if (layer > tower.LastLayer || tower.Leaving[layer - tower.FirstLayer] > 0)
            {
                runs.Add(new TowerRun(first, layer - 1, tokens, step));
                tokens -= tower.Leaving[first - tower.FirstLayer];
                first = layer;
            }
        }
    }

    /// <summary>Operations of the layers of the vision tower that run for the features, those included that run ahead.</summary>
    /// <param name="convention">What counts as an operation.</param>
    public double TowerFlops(FlopsConvention convention)
    {
        VisionGeometry vision = Geometry.Vision;
        int other = vision.Tokens - Geometry.VisualTokens;
        double flops = 0;
        foreach (TowerRun run in TowerRuns())
        {
            int rows = run.VisualTokens + other;
            if (run.Step?.Tower is { IsAhead: true } tower)
            {
                flops += CostModel.TowerAheadFlops(vision, convention, rows, tower.Ahead[run.FirstLayer - tower.FirstLayer]);
                rows -= tower.Leaving[run.FirstLayer - tower.FirstLayer];
            }

            for (int layer = run.FirstLayer; layer <= run.LastLayer; layer++)
            {
                if (run.MergedInto > 0)
                {
                    flops += CostModel.MergedTowerLayerFlops(vision, convention, run.VisualTokens, run.MergedInto, other);
                    continue;
                }

                int left = rows - (run.Step?.Tower is { IsAhead: false } halved ? halved.Leaving[layer - run.FirstLayer] : 0);
                flops += CostModel.TowerLayerFlops(vision, convention, rows, left);
                rows = left;
            }
        }

        return flops;
    }

    /// <summary>Operations of the same layers if no visual token left inside the tower.</summary>
    /// <param name="convention">What counts as an operation.</param>
    public double DenseTowerFlops(FlopsConvention convention) =>
        Geometry.Vision.FeatureLayers * CostModel.TowerLayerFlops(Geometry.Vision, convention, Geometry.Vision.Tokens, Geometry.Vision.Tokens);
}

using System.Collections.Generic;

namespace Espalier.Planning;

/// <content>What a decode step walks over, and what it costs.</content>
public sealed partial class ReductionPlan
{
    /// <summary>The layers in the runs that a decode step walks over: layers whose caches hold equally many visual rows, cut where feed-forward layers may be skipped and where not.</summary>
    public EquatableArray<CacheRun> DecodeRuns()
    {
        var runs = new List<CacheRun>();
        for (int layer = 0; layer < Layers; layer++)
        {
            CacheRun? last = runs.Count > 0 ? runs[runs.Count - 1] : null;
            int visual = VisualTokensAt(layer);
            if (last is not null && last.VisualTokens == visual && IsDynamicAt(last.LastLayer) == IsDynamicAt(layer) && MaySkipAt(last.LastLayer) == MaySkipAt(layer))
            {
                runs[runs.Count - 1] = last with { LastLayer = layer };
            }
            else
            {
                runs.Add(new CacheRun(layer, layer, visual));
            }
        }

        return runs.ToEquatableArray();
    }

    /// <summary>True if decode steps run a layer in halves, of which they may skip the second.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    public bool MaySkipAt(int layer) => Skips is not null && layer >= Skips.FirstLayer && layer <= Skips.LastLayer;

    /// <summary>Bytes that the KV caches of all layers hold behind an eviction, at least: with as few text rows as the plan lets stay. Equal to <see cref="KeyValueBytes"/> without <see cref="Eviction"/>.</summary>
    /// <param name="textTokens">Text tokens of prompt and answer.</param>
    /// <param name="bytesPerValue">Bytes of one number: 4 for fp32, 2 for fp16.</param>
    public long LeastKeyValueBytes(int textTokens, int bytesPerValue = sizeof(float)) => KeyValueBytes(Eviction?.LeastRows(textTokens) ?? textTokens, bytesPerValue);

    /// <summary>Operations of one decode step that skips nothing, over the caches as prefill leaves them.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="textTokens">Text rows in the caches, the new one among them.</param>
    public double DecodeFlops(FlopsConvention convention, int textTokens)
    {
        double flops = CostModel.HeadFlops(Geometry.Text, convention);
        for (int layer = 0; layer < Layers; layer++)
        {
            flops += CostModel.DecodeLayerFlops(Geometry.Text, convention, textTokens + Registers + VisualTokensAt(layer));
        }

        return flops;
    }

    /// <summary>Operations of one decode step that skips as much as the plan lets it: the lower bound. Equal to <see cref="DecodeFlops"/> without <see cref="Skips"/>.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="textTokens">Text rows in the caches, the new one among them.</param>
    public double LeastDecodeFlops(FlopsConvention convention, int textTokens) =>
        DecodeFlops(convention, textTokens) - ((Skips?.AtMost ?? 0) * CostModel.FeedForwardFlops(Geometry.Text, convention, rows: 1));
}

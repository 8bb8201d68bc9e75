using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <content>What prefill walks over, and what it costs.</content>
public sealed partial class ReductionPlan
{
    /// <summary>The layers in the runs that prefill executes: the segments, with each scored layer on its own.</summary>
    public EquatableArray<LayerRun> PrefillRuns()
    {
        var runs = new List<LayerRun>();
        for (int layer = 0; layer < Layers; layer++)
        {
            LayerKind kind = KindAt(layer);
            int visual = VisualTokensAt(layer);
            LayerRun? last = runs.Count > 0 ? runs[runs.Count - 1] : null;
            if (last is not null && last.Kind == kind && !IsStepAt(layer - 1) && Equals(PartialAt(layer - 1), PartialAt(layer)))
            {
                runs[runs.Count - 1] = last with { LastLayer = layer };
            }
            else
            {
                runs.Add(new LayerRun(layer, layer, kind, visual));
            }
        }

        return runs.ToEquatableArray();
    }

    /// <summary>Visual rows times layers that are computed in prefill.</summary>
    public long VisualRowsComputed => Segments.Where(segment => segment.Mode != LayerMode.Frozen).Sum(segment => (long)segment.Layers * segment.VisualTokens);

    /// <summary>Visual rows times layers that are read by attention but not updated.</summary>
    public long VisualRowsFrozen => Segments.Where(segment => segment.Mode == LayerMode.Frozen).Sum(segment => (long)segment.Layers * segment.VisualTokens);

    /// <summary>Visual rows times layers in which visual rows do less work. They are among <see cref="VisualRowsComputed"/>.</summary>
    public long VisualRowsPartial => Segments.Where(segment => segment.Mode == LayerMode.Partial).Sum(segment => (long)segment.Layers * segment.VisualTokens);

    /// <summary>Visual rows times layers of the dense model.</summary>
    public long DenseVisualRows => (long)Layers * Geometry.VisualTokens;

    /// <summary>Operations of the whole prefill.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    public double Flops(FlopsConvention convention, int textTokens) =>
        Segments.Sum(segment => Flops(convention, segment, textTokens)) + CostModel.HeadFlops(Geometry.Text, convention);

    /// <summary>Operations of the whole prefill at the counts to expect. Equal to <see cref="Flops(FlopsConvention, int)"/> unless <see cref="IsDynamic"/>.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    public double TypicalFlops(FlopsConvention convention, int textTokens)
    {
        double flops = CostModel.HeadFlops(Geometry.Text, convention);
        foreach (Segment segment in Segments)
        {
            flops += Flops(convention, segment with { VisualTokens = TypicalVisualTokensAt(segment.FirstLayer) }, textTokens);
        }

        return flops;
    }

    /// <summary>Operations of one segment in prefill.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="segment">A segment of this plan.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    public double Flops(FlopsConvention convention, Segment segment, int textTokens)
    {
        _ = segment ?? throw new ArgumentNullException(nameof(segment));
        double flops = segment.Layers * LayerFlops(convention, segment, textTokens + Registers);
        return segment.Mode == LayerMode.Merging && StepInside(segment.LastLayer) is { } step
            ? flops - CostModel.FeedForwardFlops(Geometry.Text, convention, step.TokensBefore - step.TokensAfter)
            : flops;
    }

    /// <summary>Operations of the prefill of the same model without a policy.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    public double DenseFlops(FlopsConvention convention, int textTokens) =>
        (Layers * CostModel.LayerFlops(Geometry.Text, convention, LayerMode.Dense, textTokens, Geometry.VisualTokens))
        + CostModel.HeadFlops(Geometry.Text, convention);

    /// <summary>Operations that the compiled loop runs in prefill: <see cref="Flops(FlopsConvention, int)"/>, but of the last layer only one row goes on, which no convention counts.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together; at least 1.</param>
    public double ExecutedFlops(FlopsConvention convention, int textTokens)
    {
        Segment last = Segments[Segments.Count - 1];
        return Flops(convention, textTokens) - LastLayerSaving(convention, last with { FirstLayer = last.LastLayer }, textTokens + Registers);
    }

    /// <summary>Operations that the compiled loop of the same model without a policy runs in prefill.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together; at least 1.</param>
    public double DenseExecutedFlops(FlopsConvention convention, int textTokens) =>
        DenseFlops(convention, textTokens) - LastLayerSaving(convention, new Segment(Layers - 1, Layers - 1, LayerMode.Dense, Geometry.VisualTokens), textTokens);

    /// <summary>Bytes that the KV caches of all layers hold after prefill.</summary>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    /// <param name="bytesPerValue">Bytes of one number: 4 for fp32, 2 for fp16.</param>
    public long KeyValueBytes(int textTokens, int bytesPerValue = sizeof(float)) =>
        Segments.Sum(segment => segment.Layers * CostModel.LayerKeyValueBytes(Geometry.Text, textTokens + Registers + segment.VisualTokens, bytesPerValue));

    /// <summary>Bytes that the KV caches of the same model without a policy hold after prefill.</summary>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    /// <param name="bytesPerValue">Bytes of one number: 4 for fp32, 2 for fp16.</param>
    public long DenseKeyValueBytes(int textTokens, int bytesPerValue = sizeof(float)) =>
        Layers * CostModel.LayerKeyValueBytes(Geometry.Text, textTokens + Geometry.VisualTokens, bytesPerValue);

    private bool IsStepAt(int afterLayer)
    {
        foreach (Step step in Steps)
        {
            if (!step.IsVisionSide && step.AfterLayer == afterLayer)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Operations of one layer of a segment over so many rows of text and registers, without what leaves inside of it.</summary>
    private double LayerFlops(FlopsConvention convention, Segment segment, int rows) => segment.Partial is { } work
        ? CostModel.PartialLayerFlops(Geometry, convention, work, rows, segment.VisualTokens)
        : CostModel.LayerFlops(Geometry.Text, convention, segment.Mode, rows, segment.VisualTokens);

    // The last layer is a frozen one in which all rows but one are frozen.
    private double LastLayerSaving(FlopsConvention convention, Segment last, int rows) =>
        LayerFlops(convention, last, rows) - CostModel.LayerFlops(Geometry.Text, convention, LayerMode.Frozen, 1, rows + last.VisualTokens - 1);
}

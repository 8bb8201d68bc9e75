namespace Espalier.Planning;

/// <content>What the compiled loop runs, where papers count more.</content>
public sealed partial class ReductionPlan
{
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

    // The last layer is a frozen one in which all rows but one are frozen.
    private double LastLayerSaving(FlopsConvention convention, Segment last, int rows) =>
        LayerFlops(convention, last, rows) - CostModel.LayerFlops(Geometry.Text, convention, LayerMode.Frozen, 1, rows + last.VisualTokens - 1);
}

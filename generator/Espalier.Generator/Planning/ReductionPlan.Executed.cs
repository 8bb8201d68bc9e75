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
        return Flops(convention, textTokens) - LastLayerSaving(convention, last.Mode, textTokens + Registers, last.VisualTokens);
    }

    /// <summary>Operations that the compiled loop of the same model without a policy runs in prefill.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together; at least 1.</param>
    public double DenseExecutedFlops(FlopsConvention convention, int textTokens) =>
        DenseFlops(convention, textTokens) - LastLayerSaving(convention, LayerMode.Dense, textTokens, Geometry.VisualTokens);

    // The last layer is a frozen one in which all rows but one are frozen.
    private double LastLayerSaving(FlopsConvention convention, LayerMode mode, int textTokens, int visualTokens) =>
        CostModel.LayerFlops(Geometry.Text, convention, mode, textTokens, visualTokens)
        - CostModel.LayerFlops(Geometry.Text, convention, LayerMode.Frozen, 1, textTokens + visualTokens - 1);
}

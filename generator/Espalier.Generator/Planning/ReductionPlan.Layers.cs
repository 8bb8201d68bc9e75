using System;
using System.Linq;

namespace Espalier.Planning;

/// <content>What holds in a layer, and what happens behind it or inside.</content>
public sealed partial class ReductionPlan
{
    /// <summary>The multiple of the mean score that a text row needs to stay behind a layer; 0 if all of them stay.</summary>
    /// <param name="afterLayer">Zero-based decoder layer.</param>
    public double RelevantTextAfter(int afterLayer)
    {
        foreach (Step step in Steps)
        {
            if (!step.IsVisionSide && step.AfterLayer == afterLayer)
            {
                return step.RelevantText;
            }
        }

        return 0;
    }

    /// <summary>Visual rows in a layer, at most if <see cref="IsDynamicAt"/>; which is also what its KV cache holds of the image.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such layer.</exception>
    public int VisualTokensAt(int layer) => SegmentAt(layer).VisualTokens;

    /// <summary>What visual rows still do in a layer in which they do less work; null in another.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such layer.</exception>
    public PartialWork? PartialAt(int layer) => SegmentAt(layer).Partial;

    /// <summary>True if the visual rows in a layer depend on the image.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    public bool IsDynamicAt(int layer) => LastStepBefore(layer) is { IsDynamic: true };

    /// <summary>Visual rows to expect in a layer: those of the plan, or what is typical where the image says it.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    public int TypicalVisualTokensAt(int layer) => LastStepBefore(layer)?.TypicalTokensAfter ?? Geometry.VisualTokens;

    /// <summary>By how much a text row behind the image has a smaller position in a layer than at the start of the decoder: 0 unless a step between them renumbers the rows. Holds for the counts of the plan.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such layer.</exception>
    public int PositionShiftAt(int layer)
    {
        _ = SegmentAt(layer);
        return Steps
            .Where(step => !step.IsVisionSide && step.AfterLayer < layer && step.Positions == Positions.Renumber)
            .Select(step => ImagePositions - Registers - step.TokensAfter)
            .LastOrDefault();
    }

    /// <summary>How often the rows have been renumbered between the start of the decoder and a layer. Layers of one numbering give a decoded token one position.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    public int NumberingAt(int layer)
    {
        int numbering = 0;
        foreach (Step step in Steps)
        {
            numbering += !step.IsVisionSide && step.AfterLayer < layer && step.Positions == Positions.Renumber ? 1 : 0;
        }

        return numbering;
    }

    /// <summary>The reduction inside a decoder layer; null if there is none.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    public Step? StepInside(int layer)
    {
        foreach (Step step in Steps)
        {
            if (step.IsInsideLayer && step.AfterLayer == layer)
            {
                return step;
            }
        }

        return null;
    }

    /// <summary>The reduction at the boundary behind a decoder layer; null if there is none.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    public Step? StepBehind(int layer)
    {
        foreach (Step step in Steps)
        {
            if (step.Site == Site.DecoderBoundary && step.AfterLayer == layer)
            {
                return step;
            }
        }

        return null;
    }

    /// <summary>The last of the layers that follow <paramref name="firstLayer"/>, inside of which the same happens to as many tokens; at least the layer itself.</summary>
    /// <param name="firstLayer">A layer with a reduction inside.</param>
    public int LastLayerAlike(int firstLayer)
    {
        int last = firstLayer;
        while (StepInside(last) is { } step && StepInside(last + 1) is { } next
            && next.TokensBefore == step.TokensAfter && next.TokensBefore - next.TokensAfter == step.TokensBefore - step.TokensAfter
            && next with { AfterLayer = last, TokensBefore = step.TokensBefore, TokensAfter = step.TokensAfter } == step)
        {
            last++;
        }

        return last;
    }

    /// <summary>What a layer must be able to do in prefill.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such layer.</exception>
    public LayerKind KindAt(int layer)
    {
        LayerMode mode = SegmentAt(layer).Mode;
        if (layer == Layers - 1)
        {
            // Nobody reads what it would make of the other rows, in any plan.
            return LayerKind.LastRow;
        }

        foreach (Step step in Steps)
        {
            if (step.AfterLayer == layer && step.IsInsideLayer)
            {
                return step.Kernel?.Reads(KernelInputs.SoftmaxMap) == true ? LayerKind.HalvedSoftmax : LayerKind.Halved;
            }

            if (step.AfterLayer == layer && ScoreTraits.Of(step.Score) is { NeedsLayerBefore: true } traits)
            {
                return (mode switch { LayerMode.Frozen => traits.FrozenKind, LayerMode.Partial => traits.PartialKind, _ => traits.Kind }) ?? traits.Kind;
            }
        }

        return mode switch { LayerMode.Frozen => LayerKind.Frozen, LayerMode.Partial => LayerKind.Partial, _ => LayerKind.Dense };
    }

    /// <summary>True if the step before a layer ranks by what that layer would attend to.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    public bool IsScoredAhead(int layer) => Steps.Any(step => step.AfterLayer == layer - 1 && ScoreTraits.Of(step.Score).AsksNextLayer);

    /// <summary>Rows that a layer computes in prefill: all rows, or the registers and text rows of a frozen layer.</summary>
    /// <param name="layer">Zero-based decoder layer.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such layer.</exception>
    public int RowsAt(int layer, int textTokens)
    {
        Segment segment = SegmentAt(layer);
        return textTokens + Registers + (segment.Mode != LayerMode.Frozen ? segment.VisualTokens : 0);
    }

    /// <summary>The segment that a layer is of.</summary>
    internal Segment SegmentAt(int layer)
    {
        foreach (Segment segment in Segments)
        {
            if (layer >= segment.FirstLayer && layer <= segment.LastLayer)
            {
                return segment;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(layer), layer, "The model has layers 0 to " + PlanText.Plain(Layers - 1) + ".");
    }

    private Step? LastStepBefore(int layer)
    {
        Step? last = null;
        foreach (Step step in Steps)
        {
            last = step.IsVisionSide || step.AfterLayer < layer ? step : last;
        }

        return last;
    }
}

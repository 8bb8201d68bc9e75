using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>What happens to the visual tokens of a model, layer by layer: segments of equal layers, and the steps between them.</summary>
/// <remarks>Made by <see cref="Planner"/>, or written out as literals by the generator. Plans of equal geometry, segments and steps are equal. Immutable, thread-safe.</remarks>
public sealed partial class ReductionPlan : IEquatable<ReductionPlan>
{
    /// <summary>Puts a plan together from its parts and checks that they fit.</summary>
    /// <param name="geometry">The model.</param>
    /// <param name="segments">The segments, in order of layers; together they cover every decoder layer once.</param>
    /// <param name="steps">The steps, in order of layers; each lies before the decoder or between two segments and leads from the count before it to the count behind it.</param>
    /// <param name="gates">Gates that may let all visual tokens leave; null if there are none.</param>
    /// <param name="skips">Feed-forward layers that decode steps may skip; null if they run all of them.</param>
    /// <param name="mergedTower">Tower layers that run on fewer rows; null if none does.</param>
    /// <param name="eviction">Text rows that leave the caches in decode; null if all of them stay.</param>
    /// <exception cref="ArgumentException">The segments leave a layer out or repeat one, a count changes without a step or against it, or a step lies at another place than its site says.</exception>
    public ReductionPlan(ModelGeometry geometry, IReadOnlyList<Segment> segments, IReadOnlyList<Step> steps, ExitGates? gates = null, FeedForwardSkips? skips = null, MergedTower? mergedTower = null, TextEviction? eviction = null)
    {
        Geometry = geometry ?? throw new ArgumentNullException(nameof(geometry));
        Segments = new EquatableArray<Segment>(segments);
        Steps = new EquatableArray<Step>(steps);
        Gates = gates;
        Skips = skips;
        MergedTower = mergedTower;
        Eviction = eviction;
        PlanConsistency.Check(this);
        foreach (Step step in Steps)
        {
            IsDynamic |= step.IsDynamic;
            EntersDynamic = step.IsVisionSide ? step.IsDynamic : EntersDynamic;
            TextSteps += step.RelevantText > 0 ? 1 : 0;
            MergesInDecoder |= step.IsMerge && !step.IsVisionSide;
            AsksRaters |= ScoreTraits.Of(step.Score).Kind.IsRaterScored();
            AsksRaterRank |= step.Kernel?.Reads(KernelInputs.RaterRank) == true;
            CorrectsDistance |= step.Score == Score.CorrectedRaterAttention;
        }

        DecoderVisualTokens = VisionSteps.LastOrDefault()?.TokensAfter ?? Geometry.VisualTokens;
        Registers = Steps.Count > 0 ? Steps[Steps.Count - 1].Registers : 0;
        ImagePositions = Registers + VisionSteps.Aggregate(Geometry.VisualTokens, (positions, step) => step.Positions == Positions.Renumber ? step.TokensAfter : positions);
    }

    /// <summary>The shapes of the model.</summary>
    public ModelGeometry Geometry { get; }

    /// <summary>Runs of layers with one mode and one count of visual tokens, in order.</summary>
    public EquatableArray<Segment> Segments { get; }

    /// <summary>The reductions, in order: first those on the vision side, then those between decoder layers.</summary>
    public EquatableArray<Step> Steps { get; }

    /// <summary>Gates that may let all visual tokens leave behind a layer, which the counts of the plan do not assume; null if there are none.</summary>
    public ExitGates? Gates { get; }

    /// <summary>Feed-forward layers that decode steps may skip; null if they run all of them.</summary>
    public FeedForwardSkips? Skips { get; }

    /// <summary>Tower layers that run on fewer rows, behind each of which all visual tokens come back; null if there are none.</summary>
    public MergedTower? MergedTower { get; }

    /// <summary>Text rows that leave the caches in decode; null if all of them stay.</summary>
    public TextEviction? Eviction { get; }

    /// <summary>Decoder layers.</summary>
    public int Layers => Geometry.Text.Layers;

    /// <summary>The reductions before the decoder, in order.</summary>
    public IEnumerable<Step> VisionSteps => Steps.Where(step => step.IsVisionSide);

    /// <summary>The reduction at the output of the tower or behind the projector; null if there is none.</summary>
    /// <param name="site">The site.</param>
    public Step? StepAt(Site site) => VisionSteps.FirstOrDefault(step => step.Site == site);

    /// <summary>True if a step decides by the image how many tokens stay. All counts behind it, and all costs, are then upper bounds.</summary>
    public bool IsDynamic { get; }

    /// <summary>True if the decoder starts with a number of visual tokens that depends on the image.</summary>
    public bool EntersDynamic { get; }

    /// <summary>Visual tokens that the decoder starts with: what the reductions before it leave, at most.</summary>
    public int DecoderVisualTokens { get; }

    /// <summary>Positions that an image takes in the sequence, at most: its visual tokens, less those that a reduction with contiguous positions takes away before the decoder, and the registers behind them.</summary>
    public int ImagePositions { get; }

    /// <summary>Learned rows that run between the visual tokens and the text behind them, in every layer; 0 if no step summarises.</summary>
    public int Registers { get; }

    /// <summary>True if a step between decoder layers merges rows.</summary>
    public bool MergesInDecoder { get; }

    /// <summary>True if text rows that resemble the image, the raters, rank visual rows.</summary>
    public bool AsksRaters { get; }

    /// <summary>True if the rank of the raters' attention says how many visual rows stay.</summary>
    public bool AsksRaterRank { get; }

    /// <summary>True if attention is corrected for what distance alone makes of it.</summary>
    public bool CorrectsDistance { get; }

    /// <summary>Steps that let text rows leave too.</summary>
    public int TextSteps { get; }

    /// <summary>True if no layer and no visual token is treated specially.</summary>
    public bool IsDense => Steps.Count == 0 && Gates is null && Skips is null && MergedTower is null && Eviction is null && Segments.Count == 1 && Segments[0].Mode == LayerMode.Dense;

    /// <inheritdoc/>
    public bool Equals(ReductionPlan? other) =>
        other is not null && Geometry.Equals(other.Geometry) && Segments.Equals(other.Segments) && Steps.Equals(other.Steps) && Equals(Gates, other.Gates) && Equals(Skips, other.Skips) && Equals(MergedTower, other.MergedTower) && Equals(Eviction, other.Eviction);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ReductionPlan);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        unchecked((((Geometry.GetHashCode() * 31) + Segments.GetHashCode()) * 31) + Steps.GetHashCode());

    /// <summary>The plan as a table, one line a segment and one a step, followed by its cost. The same on every culture; lines end with a line feed.</summary>
    public override string ToString() => PlanTable.Render(this);
}

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
        CheckParts();
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

    /// <summary>True if no layer and no visual token is treated specially.</summary>
    public bool IsDense => Steps.Count == 0 && Gates is null && Skips is null && MergedTower is null && Eviction is null && Segments.Count == 1 && Segments[0].Mode == LayerMode.Dense;

    /// <summary>Visual rows times layers that are computed in prefill.</summary>
    public long VisualRowsComputed => Segments.Where(segment => segment.Mode != LayerMode.Frozen).Sum(segment => (long)segment.Layers * segment.VisualTokens);

    /// <summary>Visual rows times layers that are read by attention but not updated.</summary>
    public long VisualRowsFrozen => Segments.Where(segment => segment.Mode == LayerMode.Frozen).Sum(segment => (long)segment.Layers * segment.VisualTokens);

    /// <summary>Visual rows times layers in which visual rows do less work. They are among <see cref="VisualRowsComputed"/>.</summary>
    public long VisualRowsPartial => Segments.Where(segment => segment.Mode == LayerMode.Partial).Sum(segment => (long)segment.Layers * segment.VisualTokens);

    /// <summary>Visual rows times layers of the dense model.</summary>
    public long DenseVisualRows => (long)Layers * Geometry.VisualTokens;

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
                return LayerKind.Halved;
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

    /// <summary>Operations of one layer of a segment over so many rows of text and registers, without what leaves inside of it.</summary>
    private double LayerFlops(FlopsConvention convention, Segment segment, int rows) => segment.Partial is { } work
        ? CostModel.PartialLayerFlops(Geometry, convention, work, rows, segment.VisualTokens)
        : CostModel.LayerFlops(Geometry.Text, convention, segment.Mode, rows, segment.VisualTokens);

    /// <summary>Operations of the prefill of the same model without a policy.</summary>
    /// <param name="convention">What counts as an operation.</param>
    /// <param name="textTokens">Text rows, prefix and suffix together.</param>
    public double DenseFlops(FlopsConvention convention, int textTokens) =>
        (Layers * CostModel.LayerFlops(Geometry.Text, convention, LayerMode.Dense, textTokens, Geometry.VisualTokens))
        + CostModel.HeadFlops(Geometry.Text, convention);

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

    private Step? LastStepBefore(int layer)
    {
        Step? last = null;
        foreach (Step step in Steps)
        {
            last = step.IsVisionSide || step.AfterLayer < layer ? step : last;
        }

        return last;
    }

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

    private Segment SegmentAt(int layer)
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

    private void CheckParts()
    {
        // On the vision side the output of the tower comes before that of the projector, and both before the decoder.
        int layer = 0;
        int tokens = Geometry.VisualTokens;
        int step = 0;
        bool dynamic = false;
        while (step < Steps.Count && Steps[step].IsVisionSide)
        {
            Require(Steps[step].AfterLayer == -1 && (step == 0 || Steps[step].Site > Steps[step - 1].Site || IsDeeper(Steps[step], Steps[step - 1])), "the steps before the decoder are not in order");
            CheckTower(Steps[step]);
            step++;
        }

        Require(Steps.Skip(step).All(later => !later.IsVisionSide), "a step before the decoder comes behind one of the decoder");
        if (Gates is not null)
        {
            Require(Gates.FirstLayer >= 0 && Gates.FirstLayer <= Gates.LastLayer && Gates.LastLayer == Layers - 2, "gates lie behind layers up to the last but one");
            Require(Steps.All(any => any.IsVisionSide || (!any.IsExit && any.AfterLayer <= Gates.FirstLayer)), "a step lies where a gate may have let all visual tokens leave");
            Require(Segments.All(any => any.Mode is LayerMode.Dense or LayerMode.Partial || any.LastLayer <= Gates.FirstLayer), "a layer is frozen where a gate may have let all visual tokens leave");
        }

        Require(Skips is null || (Skips.FirstLayer >= 0 && Skips.FirstLayer < Skips.LastLayer && Skips.LastLayer < Layers && Skips.Following >= 1), "feed-forward layers are skipped behind others of the same run");
        Require(Eviction is null || (Eviction.Initial >= 0 && Eviction.Neighbours >= 1), "a separator stays where it lets text leave");
        CheckMergedTower();
        foreach (Step any in Steps)
        {
            bool summarises = any.Compress == Compress.Summarise;
            Require(summarises ? any.Registers > 0 && any.IsExit : any.Registers == 0, "registers stay where all visual tokens leave, and nowhere else");
        }

        step = 0;
        foreach (Segment segment in Segments)
        {
            while (step < Steps.Count && Steps[step].AfterLayer == layer - 1)
            {
                Step current = Steps[step++];
                bool shrinks = current.TokensAfter < tokens || (current.TokensAfter == tokens && current.Count?.Rule == CountRule.Found);
                Require(current.TokensBefore == tokens && shrinks, "a step does not lead from the count before it to a smaller one");
                Require(current.IsDynamic || current.IsExit || !dynamic, "a step knows its count behind one that does not");
                Require(current.Count is not { } count || (count.Typical >= 1 && count.Typical <= current.TokensAfter), "a typical count is above the upper bound");
                tokens = current.TokensAfter;
                dynamic = current.IsDynamic;
            }

            Require(segment.FirstLayer == layer && segment.LastLayer >= layer, "the segments do not follow each other");
            Require(segment.VisualTokens == tokens, "the count of visual tokens changes without a step");
            Require((segment.Mode == LayerMode.Merging) == (StepInside(segment.LastLayer) is not null) && (segment.Mode != LayerMode.Merging || segment.Layers == 1), "a layer with a step inside of it is a segment of its own");
            Require((segment.Mode == LayerMode.Partial) == (segment.Partial is { IsWhole: false }) && (segment.Partial is null || segment.VisualTokens > 0), "a layer is partial without work that is left out, or the other way round");
            CheckPartial(segment.Partial);
            layer = segment.LastLayer + 1;
        }

        Require(layer == Layers, "the segments do not cover all layers");
        Require(step == Steps.Count, "a step does not lie between two segments");
        Require(Steps.All(any => any.AfterLayer < 0 || ScoreTraits.Of(any.Score).FrozenKind is not null || SegmentAt(any.AfterLayer).Mode != LayerMode.Frozen), "a frozen layer has to rank rows that it does not compute");
        Require(Steps.All(any => any.AfterLayer < 0 || ScoreTraits.Of(any.Score).PartialKind is not null || SegmentAt(any.AfterLayer).Mode != LayerMode.Partial), "a layer has to rank rows by attention of which it leaves a part out");
    }

    private void CheckPartial(PartialWork? work)
    {
        if (work is not null)
        {
            Require(work.Distance >= (work.Reach == VisualReach.Preceding ? 1 : 0) && (work.Reach != VisualReach.All || work.Distance == 0), "a distance belongs to a reach that has an end");
            Require((work.Choice == NeuronChoice.All) == (work.Neurons == 0) && work.Neurons >= 0 && work.Neurons < Geometry.Text.Intermediate, "neurons are left out, but not all of them");
            Require((work.Choice == NeuronChoice.Probed) == (work.ProbeStride > 0) && work.ProbeStride >= 0, "a stride belongs to probes");
            int previous = -1;
            foreach (int head in work.DroppedHeads)
            {
                Require(head > previous && head < Geometry.Text.Heads, "heads are dropped in ascending order");
                previous = head;
            }
        }
    }

    private static bool IsDeeper(Step step, Step before) => step.Tower is { } one && before.Tower is { } other && one.FirstLayer > other.LastLayer;

    private void CheckMergedTower()
    {
        if (MergedTower is null)
        {
            return;
        }

        Require(MergedTower.Rows >= 1 && MergedTower.Rows < Geometry.VisualTokens && MergedTower.Layers.Count > 0, "a merged layer of the tower runs on no row, or on as many as there are tokens");
        for (int i = 0; i < MergedTower.Layers.Count; i++)
        {
            Require(MergedTower.Layers[i] >= 0 && MergedTower.Layers[i] < Geometry.Vision.FeatureLayers && (i == 0 || MergedTower.Layers[i] > MergedTower.Layers[i - 1]), "the merged layers of the tower are not in order, or do not run");
        }

        Require(Steps.All(any => any.TowerScores is null && (any.Tower is null || any.Tower.FirstLayer > MergedTower.LastLayer)), "a step needs whole layers of the tower that are merged");
    }

    private void CheckTower(Step step)
    {
        Require(step.Site == Site.InsideTower == (step.Tower is not null), "a step has tower layers without being inside the tower, or is there without them");
        if (step.Tower is { } tower)
        {
            Require(tower.FirstLayer >= 0 && tower.Leaving.Count > 0 && tower.LastLayer < Geometry.Vision.FeatureLayers, "a step lies in tower layers that do not run");
            Require(!tower.IsAhead || (tower.Ahead.Count == tower.Leaving.Count && tower.Reads == TowerReads.None && !tower.IsProportional), "a step that looks ahead in the tower does not say so for each layer, or reads what it cannot");
            for (int i = 0; i < tower.Ahead.Count; i++)
            {
                bool leaves = tower.Leaving[i] > 0;
                Require(tower.Ahead[i] > 0 == leaves && (leaves || i > 0) && tower.FirstLayer + i + tower.Ahead[i] <= Geometry.Vision.FeatureLayers, "layers run ahead where no token leaves, or beyond those that run");
            }

            Require(tower.Total == step.TokensBefore - step.TokensAfter, "the tokens that leave in the tower layers are not those of the step");
        }
    }

    private void Require(bool condition, string violation)
    {
        if (!condition)
        {
            throw new ArgumentException("The parts of the plan do not fit together: " + violation + ".");
        }
    }
}

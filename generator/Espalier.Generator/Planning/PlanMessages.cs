using System;

namespace Espalier.Planning;

/// <summary>The sentences of the planning problems. {0} is the policy as declared; the compiler's descriptors and <see cref="PlanProblem.Message"/> share them.</summary>
internal static class PlanMessages
{
    public const string LayerOutOfRange = "'{0}' names {1}, but the model has decoder layers 0 to {2}";
    public const string NoLayerBeforePrune = "'{0}' prunes {1}, but its score is the attention of the layer before, and no layer runs before layer 0";
    public const string NoLayerAfterReduction = "'{0}' reduces visual tokens {1}, but layer {2} is the last: nothing runs behind it, so nothing would change";
    public const string PruneAfterExit = "'{0}' prunes visual tokens {1}, but all of them leave {2} by '{3}'";
    public const string FreezeAfterExit = "'{0}' freezes visual tokens in {1}, but all of them leave {2} by '{3}'";
    public const string SecondExit = "'{0}' lets all visual tokens leave {1}, but they already left {2} by '{3}'";
    public const string FrozenTwice = "'{0}' freezes visual tokens in {1}, which '{2}' freezes already";
    public const string SecondPruneAtBoundary = "'{0}' prunes visual tokens {1}, where '{2}' prunes them already";
    public const string LayersNotAscending = "'{0}' names layer {1} behind layer {2}; write the layers in ascending order, each once";
    public const string NoLayers = "'{0}' names no layer, so nothing is frozen";
    public const string RangeUnclear = "'{0}' does not say which layers to freeze: {1}";
    public const string StagesOutOfRange = "'{0}' divides the layers into {1} stages; the model has {2} layers, so 2 to {2} stages are possible";
    public const string FrozenWhereMerged = "'{0}' freezes visual tokens in {1}, inside of which '{2}' merges them; what is merged must be computed";
    public const string ScoredWhereMerged = "'{0}' prunes visual tokens {1} by the attention inside layer {3}, where '{2}' merges them; the attention is not that of the tokens that are left";
    public const string FrozenWhereRanked = "'{0}' freezes visual tokens in {1}, by whose attention among all rows '{2}' ranks them; rows that are not updated have no queries";
    public const string MergesUnknownCount = "'{0}' lets a fixed number of visual tokens go into others in each layer, but with '{1}' only the image says how many are there";
    public const string DecodeCutTwice = "'{0}' {1} in decode steps, but '{2}' does so already";
    public const string SecondStepAtSite = "'{0}' reduces visual tokens {1}, where '{2}' reduces them already";
    public const string NoClsAttention = "'{0}' needs {2}, but {1}";
    public const string TowerLayerOutOfRange = "'{0}' adds up CLS attention from tower layer {1} on, but it can be read in tower layers 0 to {2}";
    public const string TowerReducedTwice = "'{0}' reduces visual tokens in tower {1}, where '{2}' reduces them already";
    public const string TowerReductionOutOfRange = "'{0}' reduces visual tokens from tower layer {1} on, but the features of this model come from tower layers 0 to {2}";
    public const string ScoresOfReducedLayers = "'{0}' reads the attention of tower {1}, but '{2}' reduces visual tokens in tower {3}, so the attention is not that of the tokens which leave the tower";
    public const string TowerNotReducible = "'{0}' reduces visual tokens inside the vision tower, but {1}";
    public const string KeepNotPositive = "'{0}' keeps {1} of {2} visual tokens; keep at least 1, or let all of them leave with ExitVisual";
    public const string KeepExceedsModel = "'{0}' keeps {1} visual tokens, but the model has {2}";
    public const string KeepRises = "'{0}' keeps {1} visual tokens {2}, but '{4}' left only {3}; counts cannot rise";
    public const string KeepsAll = "'{0}' keeps all {1} visual tokens that are there {2}, so nothing is pruned";
    public const string RatioOutOfRange = "'{0}' has {1} = {2}, which is not between 0 and 1";
    public const string KeepUnclear = "'{0}' must say either Keep or KeepRatio; it says {1}";
    public const string UnknownScore = "'{0}' ranks visual tokens by {1}, which is not a member of {2}";

    public const string NumberOutOfRange = "'{0}' has {1} = {2}, which must be {3}";
    public const string CountAndShare = "'{0}' says both {1} and {2}; one of them decides how many visual tokens stay";
    public const string UnknownChoice = "'{0}' has {1} = {2}, which is not a member of {3}";
    public const string BoundsCrossed = "'{0}' lets at least {1} of {3} visual tokens stay and at most {2}; the upper bound must be the higher one";
    public const string CountsUnlikeLayers = "'{0}' says how many visual tokens stay {1}, but names {2}; it takes at least one layer, and a count for each";
    public const string TableOfAnotherModel = "'{0}' takes a published table, which is for {1} visual tokens, but the model has {2}; write {3}";
    public const string NotBehindGates = "'{0}' {1}, where a gate of '{2}' may have let all of them leave already";
    public const string RegistersSaveNothing = "'{0}' adds {1} rows of registers over all layers, but {2} visual tokens that leave {3} are only {4} rows less";

    public const string PartialTwice = "'{0}' says {1} in {2}, and so does '{3}'";
    public const string PartialWhereTreated = "'{0}' lets visual tokens do less work in {1}, where '{2}' {3} them";
    public const string PartialAfterExit = "'{0}' lets visual tokens do less work in {1}, but all of them leave {2} by '{3}'";
    public const string NeighboursUnknown = "'{0}' lets visual tokens attend to their neighbours on the patch grid in {1}, but {2}";
    public const string PartialSavesNothing = "'{0}' leaves visual tokens as much work as they have without it: {1}";

    /// <summary>The sentence of a kind.</summary>
    public static string For(PlanProblemKind kind) => kind switch
    {
        PlanProblemKind.LayerOutOfRange => LayerOutOfRange,
        PlanProblemKind.NoLayerBeforePrune => NoLayerBeforePrune,
        PlanProblemKind.NoLayerAfterReduction => NoLayerAfterReduction,
        PlanProblemKind.PruneAfterExit => PruneAfterExit,
        PlanProblemKind.FreezeAfterExit => FreezeAfterExit,
        PlanProblemKind.SecondExit => SecondExit,
        PlanProblemKind.FrozenTwice => FrozenTwice,
        PlanProblemKind.SecondPruneAtBoundary => SecondPruneAtBoundary,
        PlanProblemKind.LayersNotAscending => LayersNotAscending,
        PlanProblemKind.NoLayers => NoLayers,
        PlanProblemKind.RangeUnclear => RangeUnclear,
        PlanProblemKind.StagesOutOfRange => StagesOutOfRange,
        PlanProblemKind.FrozenWhereMerged => FrozenWhereMerged,
        PlanProblemKind.ScoredWhereMerged => ScoredWhereMerged,
        PlanProblemKind.FrozenWhereRanked => FrozenWhereRanked,
        PlanProblemKind.MergesUnknownCount => MergesUnknownCount,
        PlanProblemKind.DecodeCutTwice => DecodeCutTwice,
        PlanProblemKind.SecondStepAtSite => SecondStepAtSite,
        PlanProblemKind.NoClsAttention => NoClsAttention,
        PlanProblemKind.TowerLayerOutOfRange => TowerLayerOutOfRange,
        PlanProblemKind.TowerReducedTwice => TowerReducedTwice,
        PlanProblemKind.TowerReductionOutOfRange => TowerReductionOutOfRange,
        PlanProblemKind.ScoresOfReducedLayers => ScoresOfReducedLayers,
        PlanProblemKind.TowerNotReducible => TowerNotReducible,
        PlanProblemKind.PartialTwice => PartialTwice,
        PlanProblemKind.PartialWhereTreated => PartialWhereTreated,
        PlanProblemKind.PartialAfterExit => PartialAfterExit,
        PlanProblemKind.NeighboursUnknown => NeighboursUnknown,
        PlanProblemKind.PartialSavesNothing => PartialSavesNothing,
        PlanProblemKind.KeepNotPositive => KeepNotPositive,
        PlanProblemKind.KeepExceedsModel => KeepExceedsModel,
        PlanProblemKind.KeepRises => KeepRises,
        PlanProblemKind.KeepsAll => KeepsAll,
        PlanProblemKind.RatioOutOfRange => RatioOutOfRange,
        PlanProblemKind.KeepUnclear => KeepUnclear,
        PlanProblemKind.UnknownScore => UnknownScore,
        PlanProblemKind.NumberOutOfRange => NumberOutOfRange,
        PlanProblemKind.CountAndShare => CountAndShare,
        PlanProblemKind.UnknownChoice => UnknownChoice,
        PlanProblemKind.BoundsCrossed => BoundsCrossed,
        PlanProblemKind.CountsUnlikeLayers => CountsUnlikeLayers,
        PlanProblemKind.TableOfAnotherModel => TableOfAnotherModel,
        PlanProblemKind.NotBehindGates => NotBehindGates,
        PlanProblemKind.RegistersSaveNothing => RegistersSaveNothing,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such problem."),
    };
}

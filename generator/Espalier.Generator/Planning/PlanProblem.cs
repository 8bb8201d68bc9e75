using System;
using System.Globalization;
using System.Linq;

namespace Espalier.Planning;

/// <summary>The ways in which policies can contradict a model or each other. The number is that of the diagnostic: 101 is ESP0101.</summary>
public enum PlanProblemKind
{
    /// <summary>A layer that the model does not have.</summary>
    LayerOutOfRange = 101,

    /// <summary>An attention score is wanted where no layer ran before.</summary>
    NoLayerBeforePrune = 102,

    /// <summary>A reduction behind the last layer, which no layer would notice.</summary>
    NoLayerAfterReduction = 103,

    /// <summary>A prune at or behind the exit.</summary>
    PruneAfterExit = 104,

    /// <summary>A freeze of layers in which no visual token is left.</summary>
    FreezeAfterExit = 105,

    /// <summary>A second exit.</summary>
    SecondExit = 106,

    /// <summary>A layer that two policies freeze.</summary>
    FrozenTwice = 107,

    /// <summary>A second prune at one boundary.</summary>
    SecondPruneAtBoundary = 108,

    /// <summary>A list of layers that is not ascending or repeats a layer; the meaning is clear, so the plan stands.</summary>
    LayersNotAscending = 109,

    /// <summary>A freeze without layers.</summary>
    NoLayers = 110,

    /// <summary>A range with one end, with its ends the wrong way round, or beside a list.</summary>
    RangeUnclear = 111,

    /// <summary>A number of stages into which the layers cannot be divided.</summary>
    StagesOutOfRange = 112,

    /// <summary>A freeze of a layer inside of which visual rows are merged.</summary>
    FrozenWhereMerged = 113,

    /// <summary>A score of a layer inside of which visual rows are merged.</summary>
    ScoredWhereMerged = 114,

    /// <summary>A fixed number of tokens that leave inside layers, where only the image says how many are there.</summary>
    MergesUnknownCount = 115,

    /// <summary>A freeze or an exit where gates may have let the visual tokens leave.</summary>
    NotBehindGates = 117,

    /// <summary>A second policy that says what decode steps leave out.</summary>
    DecodeCutTwice = 118,

    /// <summary>A freeze of a layer whose attention among all rows ranks them.</summary>
    FrozenWhereRanked = 119,

    /// <summary>A second reduction at one site of the vision side.</summary>
    SecondStepAtSite = 121,

    /// <summary>The CLS attention that a method wants cannot be had from the vision tower.</summary>
    NoClsAttention = 122,

    /// <summary>A layer of the vision tower whose attention cannot be read.</summary>
    TowerLayerOutOfRange = 123,

    /// <summary>Tower layers in which two policies reduce.</summary>
    TowerReducedTwice = 141,

    /// <summary>A reduction in tower layers that do not run for the features.</summary>
    TowerReductionOutOfRange = 142,

    /// <summary>CLS attention of tower layers whose rows are not those of the output, because tokens leave there or behind them.</summary>
    ScoresOfReducedLayers = 143,

    /// <summary>A vision tower inside which nothing can be reduced.</summary>
    TowerNotReducible = 144,

    /// <summary>Less work in a layer for which another policy says the same kind of less.</summary>
    PartialTwice = 151,

    /// <summary>Less work in a layer that is frozen, or inside of which visual rows are merged.</summary>
    PartialWhereTreated = 152,

    /// <summary>Less work in layers in which no visual token is left.</summary>
    PartialAfterExit = 153,

    /// <summary>Neighbours on the patch grid where visual rows have no place there.</summary>
    NeighboursUnknown = 154,

    /// <summary>Less work that is not less.</summary>
    PartialSavesNothing = 155,

    /// <summary>A keep count below one.</summary>
    KeepNotPositive = 201,

    /// <summary>A keep count above the number of visual tokens of the model.</summary>
    KeepExceedsModel = 202,

    /// <summary>A keep count above what an earlier prune left.</summary>
    KeepRises = 203,

    /// <summary>A keep count that keeps everything.</summary>
    KeepsAll = 204,

    /// <summary>A ratio outside the open interval from 0 to 1.</summary>
    RatioOutOfRange = 205,

    /// <summary>A prune with neither a count nor a ratio, or with both.</summary>
    KeepUnclear = 206,

    /// <summary>A score that does not exist.</summary>
    UnknownScore = 207,

    /// <summary>A number that its parameter cannot take.</summary>
    NumberOutOfRange = 221,

    /// <summary>A count and a share where one of them decides.</summary>
    CountAndShare = 222,

    /// <summary>A choice that is no member of its enumeration.</summary>
    UnknownChoice = 223,

    /// <summary>A lower bound above the upper one.</summary>
    BoundsCrossed = 224,

    /// <summary>A list of counts that is not as long as the list of layers.</summary>
    CountsUnlikeLayers = 225,

    /// <summary>A published table of counts for another number of visual tokens.</summary>
    TableOfAnotherModel = 226,

    /// <summary>Registers that add as many rows as the visual tokens that they stand for take away.</summary>
    RegistersSaveNothing = 231,
}

/// <summary>Something wrong with a set of policies, and where.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Kind">What is wrong.</param>
/// <param name="Policy">Index of the policy at fault in the list that was planned.</param>
/// <param name="Argument">The argument at fault; null if the policy as a whole is.</param>
/// <param name="Element">Index in the argument's list of layers; -1 if the argument as a whole is at fault.</param>
/// <param name="Values">What the message names, ready to print.</param>
/// <param name="Suggestion">The nearest value that the argument could have, if there is one.</param>
public sealed record PlanProblem(
    PlanProblemKind Kind,
    int Policy,
    string? Argument,
    int Element,
    EquatableArray<string> Values,
    int? Suggestion = null)
{
    /// <summary>The id of the diagnostic, for example <c>ESP0101</c>.</summary>
    public string Id => "ESP" + ((int)Kind).ToString("D4", CultureInfo.InvariantCulture);

    /// <summary>True if no plan comes out. Only the order of a list of layers is not worth an error.</summary>
    public bool IsFatal => Kind != PlanProblemKind.LayersNotAscending;

    /// <summary>One sentence that names the policy, the numbers and the reason.</summary>
    public string Message => string.Format(CultureInfo.InvariantCulture, PlanMessages.For(Kind), Values.ToArray<object>());

    /// <summary>The id and the message.</summary>
    public override string ToString() => Id + ": " + Message;
}

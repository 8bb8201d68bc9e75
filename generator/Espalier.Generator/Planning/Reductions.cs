using System;
using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>A boundary between two layers, and the argument that names it.</summary>
/// <param name="Argument">The argument; null if it is not written.</param>
/// <param name="Value">Its value as written.</param>
/// <param name="NamesNextLayer">True if the value is the layer behind the boundary, as a paper's K is; false if it is the layer before.</param>
/// <param name="IsInside">True if it is no boundary but the place inside the layer, behind its attention.</param>
/// <param name="Element">Index in the argument's list of layers; -1 if it is no list.</param>
internal sealed record Boundary(string? Argument, int Value, bool NamesNextLayer, bool IsInside = false, int Element = -1)
{
    /// <summary>The layer before the boundary. Widened, since a K of <see cref="int.MinValue"/> is only found to be wrong later.</summary>
    public long AfterLayer => NamesNextLayer ? (long)Value - 1 : Value;

    /// <summary>The value of the argument that stands for another boundary.</summary>
    public int Naming(int afterLayer) => NamesNextLayer ? afterLayer + 1 : afterLayer;

    /// <summary>Where among the places of the decoder it lies: a layer's inside is before the boundary behind it.</summary>
    public long Order => (2 * AfterLayer) + (IsInside ? 0 : 1);

    /// <summary>"before layer 2", "after layer 1" or "in layer 1", in the policy's own way of counting.</summary>
    public override string ToString() => (IsInside ? "in layer " : NamesNextLayer ? "before layer " : "after layer ") + PlanText.Plain(Value);
}

/// <summary>What of the visual tokens at a site stays, and the argument that says so: a count or a share.</summary>
/// <param name="Argument">The argument.</param>
/// <param name="Tokens">The count.</param>
/// <param name="Share">The share.</param>
/// <param name="Truncates">True if the share is rounded downwards.</param>
/// <param name="IsOfEntering">True if the share is of the tokens that enter the decoder, false if of those that are there.</param>
/// <param name="Found">What can be said of a count that only the image says; null for the others.</param>
/// <param name="Leaving">The tokens that leave, in place of a count of those that stay.</param>
/// <param name="Counted">The count, given the tokens that are there, where the method has a formula of its own: never more than those, and never less where more are there.</param>
/// <param name="Element">Index in the argument's list; -1 if it is no list.</param>
internal sealed record KeepRule(
    string? Argument,
    int? Tokens,
    double? Share,
    bool Truncates = false,
    bool IsOfEntering = false,
    FoundCount? Found = null,
    int? Leaving = null,
    Func<int, int>? Counted = null,
    int Element = -1)
{
    /// <summary>A count by a formula of the method's own, which its kernel applies too.</summary>
    /// <param name="argument">The argument.</param>
    /// <param name="count">The formula, given the tokens that are there.</param>
    public static KeepRule CountedBy(string? argument, Func<int, int> count) => new(argument, Tokens: null, Share: null, Counted: count);

    /// <summary>A count that the step finds in the image.</summary>
    /// <param name="atMost">The upper bound, given the tokens that are there.</param>
    /// <param name="typical">What to expect, given the tokens that are there.</param>
    public static KeepRule FoundInTheImage(Func<int, int> atMost, Func<int, int> typical) => new(Argument: null, Tokens: null, Share: null, Found: new FoundCount(atMost, typical));

    /// <summary>The count, given the tokens that are there. Shares are rounded to the nearest integer, halves to even, as FastV's Hugging Face port does, or downwards where a method's code truncates.</summary>
    /// <param name="available">The tokens that are there.</param>
    public int Of(int available) => Counted is not null ? Counted(available) : Leaving is { } leaving ? available - leaving : Tokens ?? (int)(Truncates ? Math.Floor(available * Share!.Value) : Math.Round(available * Share!.Value, MidpointRounding.ToEven));

    /// <summary>The count behind other steps: that of the plan, and who says it at run time if the plan cannot.</summary>
    /// <param name="before">The tokens that are there.</param>
    /// <param name="entering">The tokens that entered the decoder.</param>
    public (int Tokens, RunTimeCount? Count) Of(Tokens before, Tokens entering)
    {
        if (Found is not null)
        {
            int atMost = Math.Min(before.Count, Found.AtMost(before.Count));
            return (atMost, new RunTimeCount(CountRule.Found, Share: 0, Bounded(Found.Typical(before.Typical), atMost)));
        }

        int tokens = Of(IsOfEntering ? entering.Count : before.Count);
        if (!before.AreBound)
        {
            return (tokens, null);
        }

        if (Counted is not null)
        {
            return (tokens, new RunTimeCount(CountRule.Found, Share: 0, Bounded(Counted(before.Typical), tokens)));
        }

        int typical = Math.Min(before.Typical, Of(IsOfEntering ? entering.Typical : before.Typical));
        CountRule rule = Tokens is not null ? CountRule.AtMost : IsOfEntering ? CountRule.ShareOfEntering : Truncates ? CountRule.ShareDown : CountRule.Share;
        return (tokens, new RunTimeCount(rule, Share ?? 0, Bounded(typical, tokens)));
    }

    private static int Bounded(int typical, int atMost) => Math.Max(1, Math.Min(typical, atMost));
}

/// <summary>What can be said of a count before the image is there, given the tokens that are there.</summary>
/// <param name="AtMost">The upper bound.</param>
/// <param name="Typical">What to expect.</param>
internal sealed record FoundCount(Func<int, int> AtMost, Func<int, int> Typical);

/// <summary>The tokens that are there at a site.</summary>
/// <param name="Count">How many; at most, if <paramref name="AreBound"/>.</param>
/// <param name="Typical">What to expect.</param>
/// <param name="AreBound">True if a step before decides by the image.</param>
internal sealed record Tokens(int Count, int Typical, bool AreBound)
{
    /// <summary>All tokens of the model.</summary>
    public static Tokens Of(int visualTokens) => new(visualTokens, visualTokens, AreBound: false);

    /// <summary>What a step leaves.</summary>
    public static Tokens Behind(Step step) => new(step.TokensAfter, step.TypicalTokensAfter, step.IsDynamic);

    /// <summary>What the last of some steps leaves, or all.</summary>
    public static Tokens Behind(List<Step> steps, int visualTokens) => steps.Count > 0 ? Behind(steps[steps.Count - 1]) : Of(visualTokens);
}

/// <summary>What decides which visual tokens stay.</summary>
/// <param name="Score">The kind of score.</param>
/// <param name="Seed">The seed of <see cref="Score.Random"/>.</param>
/// <param name="ScorerType">The scorer of <see cref="Score.Custom"/>.</param>
internal sealed record Ranking(Score Score, int Seed = 0, string? ScorerType = null)
{
    /// <summary>True if the score comes out of the layer before the boundary, so that there must be one.</summary>
    public bool NeedsLayerBefore => ScoreTraits.Of(Score).NeedsLayerBefore;
}

/// <summary>A policy's wish that some visual tokens leave, or go into others. <paramref name="Kernel"/> is given the tokens that are there, and whether the plan knows their number; <paramref name="RelevantText"/> is what <see cref="Step.RelevantText"/> says.</summary>
internal sealed record Prune(
    int Policy,
    string Declaration,
    Boundary Boundary,
    KeepRule Keep,
    Ranking Ranking,
    Positions Positions,
    Compress Compress,
    Func<Tokens, Kernel>? Kernel,
    double RelevantText);

/// <summary>A policy's wish that visual tokens are reduced before the decoder. <paramref name="Kernel"/> is given the tokens that are there.</summary>
internal sealed record VisionReduction(
    int Policy,
    string Declaration,
    Site Site,
    KeepRule Keep,
    Score Score,
    Compress Compress,
    Positions Positions,
    TowerScores? TowerScores,
    Func<int, Kernel>? Kernel,
    TowerReduction? Tower = null)
{
    /// <summary>The count behind other steps, as <see cref="KeepRule.Of(Tokens, Tokens)"/> says it; inside the tower, what its layers leave.</summary>
    /// <param name="before">The tokens that are there.</param>
    public (int Tokens, RunTimeCount? Count) KeepOf(Tokens before) => Tower is null ? Keep.Of(before, before) : (before.Count - Tower.Total, null);
}

/// <summary>A policy's wish that all visual tokens leave; <paramref name="Registers"/> rows that ran behind them stay.</summary>
internal sealed record Exit(int Policy, string Declaration, Boundary Boundary, int Registers);

/// <summary>A policy's wish that gates let all visual tokens leave.</summary>
internal sealed record Gate(int Policy, string Declaration);

/// <summary>A policy's wish that decode steps leave something out.</summary>
internal sealed record DecodeWish<T>(int Policy, string Declaration, T What)
    where T : class;

/// <summary>A policy's wish that visual tokens do less work in one layer, and the place where the layer is written; <paramref name="IsWritten"/> is false if none is, so that the layer is one of all that there are.</summary>
internal sealed record Partial(int Policy, string Declaration, int Layer, string? Argument, int Element, bool IsWritten, PartialWork Work);

/// <summary>A policy's wish that visual tokens are frozen in one layer, and the place where the layer is written.</summary>
internal sealed record Freeze(int Policy, string Declaration, int Layer, string Argument, int Element);

using System;

namespace Espalier.Planning;

/// <summary>Who says, while the model runs, how many tokens a step leaves.</summary>
public enum CountRule
{
    /// <summary>The step's selection, by what it finds in the image.</summary>
    Found,

    /// <summary>The plan, unless fewer tokens are there.</summary>
    AtMost,

    /// <summary>A share of the tokens that are there, rounded to the nearest integer, halves to even.</summary>
    Share,

    /// <summary>A share of the tokens that are there, rounded downwards.</summary>
    ShareDown,

    /// <summary>A share of the tokens that entered the decoder, rounded downwards; all that are there if they are fewer.</summary>
    ShareOfEntering,
}

/// <summary>The count of a step that the plan cannot know: a step that decides by the image, or one behind such a step. What the plan says of it is an upper bound.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Rule">Who says how many tokens stay.</param>
/// <param name="Share">The share, where the rule is one; else 0.</param>
/// <param name="Typical">Tokens to expect, from 1 to the upper bound: what the typical cost is computed with.</param>
public sealed record RunTimeCount(CountRule Rule, double Share, int Typical)
{
    /// <summary>True if a count is what the rule asks for. A step always leaves one token at least.</summary>
    /// <param name="kept">Tokens that stay.</param>
    /// <param name="available">Tokens that were there.</param>
    /// <param name="entered">Tokens that entered the decoder.</param>
    /// <param name="bound">The upper bound of the plan.</param>
    public bool Allows(int kept, int available, int entered, int bound)
    {
        int most = Math.Min(available, bound);
        return Rule switch
        {
            CountRule.Found => kept >= 1 && kept <= most,
            CountRule.AtMost => kept == most,
            CountRule.Share => kept == TokenShare.Nearest(available, Share),
            CountRule.ShareDown => kept == TokenShare.Down(available, Share),
            CountRule.ShareOfEntering => kept == Math.Min(available, TokenShare.Down(entered, Share)),
            _ => false,
        };
    }
}

/// <summary>A share of a number of tokens; never less than one token.</summary>
/// <remarks>The compiler calls it for counts that it knows, the emitted loop for those that it does not, so that both round alike. Thread-safe.</remarks>
public static class TokenShare
{
    /// <summary>Rounded to the nearest integer, halves to even.</summary>
    /// <param name="tokens">Tokens that are there.</param>
    /// <param name="share">The share of them, above 0 and below 1.</param>
    public static int Nearest(int tokens, double share) => Math.Max(1, (int)Math.Round(tokens * share, MidpointRounding.ToEven));

    /// <summary>Rounded downwards.</summary>
    /// <param name="tokens">Tokens that are there.</param>
    /// <param name="share">The share of them, above 0 and below 1.</param>
    public static int Down(int tokens, double share) => Math.Max(1, (int)Math.Floor(tokens * share));
}

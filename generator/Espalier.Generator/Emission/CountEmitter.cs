using System;
using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes the locals of a step whose count depends on the image: <c>tokens</c>, the visual tokens that are there, and <c>stay</c>, how many of them do.</summary>
internal static class CountEmitter
{
    /// <summary>The local that holds how many tokens stay.</summary>
    public const string Stay = "stay";

    /// <summary>The local that holds how many tokens stay as they are, where others are recycled.</summary>
    public const string Keep = "keep";

    /// <summary>The local that holds how many tokens are there.</summary>
    public const string Tokens = "tokens";

    /// <summary>True if the selection itself says how many tokens stay.</summary>
    public static bool IsFound(Step step) => step.Count?.Rule == CountRule.Found;

    /// <summary>Declares the tokens that are there, where the plan does not know them, and how many stay, unless the selection says it.</summary>
    public static void Declare(SourceWriter writer, Step step, bool isBehindDynamic)
    {
        if (isBehindDynamic)
        {
            writer.Line("int " + Tokens + " = pass.VisualTokens;");
        }

        if (step.Count is { } count && !IsFound(step))
        {
            writer.Line("int " + Stay + " = " + Expression(count, step.TokensAfter) + ";");
        }
    }

    /// <summary>What cuts a span of the upper bound to the tokens that are there.</summary>
    public static string CutToTokens(bool isBehindDynamic) => isBehindDynamic ? Tokens : "";

    /// <summary>What cuts a span of the upper bound to the tokens that stay; empty if the selection says it later.</summary>
    public static string CutToStay(Step step) => step.IsDynamic && !IsFound(step) ? Stay : "";

    /// <summary>The kept indices as the pass takes them.</summary>
    public static string Kept(Step step) => IsFound(step) ? "kept[.." + Stay + "]" : "kept";

    /// <summary>"int stay = " where the selection says how many tokens stay.</summary>
    public static string Receive(Step step) => IsFound(step) ? "int " + Stay + " = " : "";

    /// <summary>The number of tokens that are there: a literal, or the local.</summary>
    public static string Before(Step step, bool isBehindDynamic) => isBehindDynamic ? Tokens : Literal.Of(step.TokensBefore);

    /// <summary>The same as an argument, with a comma and a space behind it.</summary>
    public static string TokensArgument(Step step, bool isBehindDynamic) => (isBehindDynamic ? "" : "tokens: ") + Before(step, isBehindDynamic) + ", ";

    private static string Expression(RunTimeCount count, int atMost) => count.Rule switch
    {
        CountRule.AtMost => "global::System.Math.Min(" + Tokens + ", " + Literal.Of(atMost) + ")",
        CountRule.Share => KnownTypeNames.TokenShareRef + ".Nearest(" + Tokens + ", share: " + PlanText.Plain(count.Share) + ")",
        CountRule.ShareDown => KnownTypeNames.TokenShareRef + ".Down(" + Tokens + ", share: " + PlanText.Plain(count.Share) + ")",
        CountRule.ShareOfEntering => "global::System.Math.Min(" + Tokens + ", " + KnownTypeNames.TokenShareRef + ".Down(pass.EnteredTokens, share: " + PlanText.Plain(count.Share) + "))",
        _ => throw new ArgumentOutOfRangeException(nameof(count), count.Rule, "The selection says how many tokens stay."),
    };
}

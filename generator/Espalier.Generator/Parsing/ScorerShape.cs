using System.Linq;
using Microsoft.CodeAnalysis;

namespace Espalier.Parsing;

/// <summary>Checks whether the emitted loop can call the scorer that a policy names.</summary>
internal static class ScorerShape
{
    /// <summary>The type that a policy names, or null if it names none.</summary>
    public static INamedTypeSymbol? ScorerOf(AttributeData policy) =>
        policy.AttributeClass is { TypeArguments: { Length: 1 } arguments } ? arguments[0] as INamedTypeSymbol : null;

    /// <summary>What keeps the loop from calling the scorer, as the end of a sentence; null if nothing does.</summary>
    public static string? Unusable(INamedTypeSymbol scorer)
    {
        if (!scorer.AllInterfaces.Any(type => type.Is(KnownTypeNames.TokenScorer)))
        {
            return "it does not implement " + KnownTypeNames.TokenScorer;
        }

        return IsFileLocal(scorer) ? "it is visible in one file only" : null;
    }

    private static bool IsFileLocal(INamedTypeSymbol type) =>
        type.IsFileLocal
        || (type.ContainingType is { } containing && IsFileLocal(containing))
        || type.TypeArguments.OfType<INamedTypeSymbol>().Any(IsFileLocal);
}

namespace Espalier;

/// <summary>Ranks visual tokens for <c>[PruneVisual&lt;TScorer&gt;]</c>: the tokens with the highest scores stay.</summary>
/// <remarks>
/// <para>Implemented by a struct, so that the compiled loop gets code of its own for it: a direct call, no boxing. A scorer has no state; what it must know are constants or other static members.</para>
/// <para>Called on the thread of the prefill, for several sequences possibly at the same time. To keep prefill free of managed allocations, a scorer must not allocate. What it throws ends the
/// prefill and reaches the caller; the sequence can be used again.</para>
/// </remarks>
public interface ITokenScorer
{
    /// <summary>Writes one score a visual token.</summary>
    /// <param name="context">The tokens and where they are.</param>
    /// <param name="scores">Receives the scores in the order of the rows; its length is <see cref="TokenScoreContext.Count"/> zeros on entry. Higher stays; of equal scores the
    /// lower index stays; NaN ranks below every number.</param>
    static abstract void Score(in TokenScoreContext context, Span<float> scores);
}

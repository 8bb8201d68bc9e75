using System;

namespace Espalier.Planning;

/// <summary>How many tokens a step leaves that recycles the best of what it takes away (SparseVLM, arXiv 2410.04417).</summary>
/// <remarks>The compiler calls it for counts that it knows, the emitted loop and the kernel at run time, so that all round alike. Thread-safe.</remarks>
public static class Recycling
{
    /// <summary>Tokens of a cluster, on average: the authors' number.</summary>
    private const int TokensOfACluster = 10;

    /// <summary>The tokens that are recycled: the share τ of those that leave, rounded downwards, and one more.</summary>
    /// <param name="leaving">Tokens that leave.</param>
    /// <param name="tau">The share, 0 to 1; 0 recycles none.</param>
    public static int Pool(int leaving, double tau) => leaving <= 0 || !(tau > 0) ? 0 : Math.Min(leaving, (int)(leaving * tau) + 1);

    /// <summary>The clusters that they go into.</summary>
    /// <param name="pool">Tokens that are recycled.</param>
    public static int Clusters(int pool) => pool <= 0 ? 0 : (pool / TokensOfACluster) + 1;

    /// <summary>The tokens behind the step: those that stay as they are, and a token a cluster.</summary>
    /// <param name="tokens">Tokens that are there.</param>
    /// <param name="keep">Tokens that stay as they are.</param>
    /// <param name="tau">The share of the others that is recycled.</param>
    public static int Left(int tokens, int keep, double tau) => keep + Clusters(Pool(tokens - keep, tau));
}

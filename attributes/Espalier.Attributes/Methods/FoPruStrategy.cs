namespace Espalier;

/// <summary>What <see cref="FoPruAttribute"/> keeps.</summary>
public enum FoPruStrategy
{
    /// <summary>The most significant patches, wherever they are.</summary>
    Rank,

    /// <summary>The rows of patches with the largest sums of significance, whole.</summary>
    Row,
}

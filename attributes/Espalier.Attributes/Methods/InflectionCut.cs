namespace Espalier;

/// <summary>Where the head of a curve of scores, sorted downwards, ends. The authors of Sparsity Meets Similarity do not publish theirs; these are named choices.</summary>
public enum InflectionCut
{
    /// <summary>At the score farthest below the straight line from the highest to the lowest.</summary>
    Chord,

    /// <summary>Where the curve, smoothed by a moving average, bends most: the largest second difference.</summary>
    SecondDifference,

    /// <summary>Before the largest step between two scores.</summary>
    MaxDerivative,

    /// <summary>Behind as many scores as are local outliers: local outlier factor above 1.5 with 10 neighbours.</summary>
    LocalOutlier,
}

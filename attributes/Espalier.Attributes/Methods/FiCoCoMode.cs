namespace Espalier;

/// <summary>Which reading of FiCoCo is meant where the paper (arXiv 2411.17686 v4) and the authors' code contradict each other and both can be run.</summary>
public enum FiCoCoMode
{
    /// <summary>The paper's. FiCoCo-V: λ = 0.35. Both: the ε-quantile is that of a token's correlations to the tokens that stay.</summary>
    Paper,

    /// <summary>The code's. FiCoCo-V: an effective λ of 0.65. FiCoCo-L: sums in the filter in place of means. Both: the ε-quantile is that of a token's correlations to all rows, those that leave included, which fixes how many targets each token has.</summary>
    Code,
}

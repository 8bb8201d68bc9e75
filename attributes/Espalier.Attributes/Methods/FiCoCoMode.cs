namespace Espalier;

/// <summary>Which reading of FiCoCo is meant where the paper and the authors' code contradict each other and both can be run.</summary>
public enum FiCoCoMode
{
    /// <summary>The paper's: λ = 0.35, and the ε-quantile is that of a token's correlations to the tokens that stay.</summary>
    Paper,

    /// <summary>The code's: an effective λ of 0.65, and the ε-quantile is that of a token's correlations to all rows, CLS and those that leave included, which fixes how many targets each token has.</summary>
    Code,
}

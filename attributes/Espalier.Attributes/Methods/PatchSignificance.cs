namespace Espalier;

/// <summary>How <see cref="FoPruAttribute"/> measures a patch, in the tower layer whose output the features are.</summary>
public enum PatchSignificance
{
    /// <summary>The softmax attention that all rows of the tower pay to the patch, mean over rows and heads.</summary>
    Received,

    /// <summary>The softmax attention that the CLS token pays to it, mean over heads. Only of towers with a CLS token.</summary>
    ClsAttention,
}

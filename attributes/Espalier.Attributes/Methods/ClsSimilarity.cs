namespace Espalier;

/// <summary>What <see cref="SparsityMeetsSimilarityAttribute"/> takes for the similarity of a visual token to the tower's CLS token.</summary>
public enum ClsSimilarity
{
    /// <summary>The cosine of the two features.</summary>
    Cosine,

    /// <summary>The softmax attention that the CLS token pays to the patch in the layer whose output the features are, mean over heads.</summary>
    ClsAttention,
}

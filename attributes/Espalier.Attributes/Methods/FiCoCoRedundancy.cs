namespace Espalier;

/// <summary>What FiCoCo takes for the likeness of a visual token to the others.</summary>
public enum FiCoCoRedundancy
{
    /// <summary>The mean of its row of scaled products of queries and keys, before the softmax; it and the term against it, the CLS row or that of the text, are then brought to length one. What the authors' code does.</summary>
    RawLogits,

    /// <summary>The mean of its column of the attention map: the attention that it receives.</summary>
    SoftmaxColumns,

    /// <summary>The mean of its row of the attention map, as the paper prints it. The row of a softmax always adds up to one, so this ranks by little else than the CLS token or, in the decoder, by how the row divides between image and text.</summary>
    SoftmaxRows,
}

namespace Espalier.Planning;

/// <summary>The ways in which papers count the floating point operations of a decoder layer. Figures of different conventions must not be compared.</summary>
/// <remarks>With n rows, width d, feed-forward width m, H heads, and full (not causally halved) attention, for a layer without grouped heads.</remarks>
public enum FlopsConvention
{
    /// <summary>4nd² + 2n²d + 2ndm: multiply-accumulates, and a feed-forward layer of two matrices although these decoders have three. FastV, DivPrune, VisionZip.</summary>
    A,

    /// <summary>4nd² + 2n²d + 3ndm: multiply-accumulates. PyramidDrop, SparseVLM, VScan.</summary>
    B,

    /// <summary>Twice B: multiplications and additions of all matrix products. ShortV, ViCA.</summary>
    C,

    /// <summary>C and 5Hn² for softmax, 14nd for the norms, 2nd for residuals, 2nd for the activation, and once 2dV for the last row's logits: LLM-Viewer. FiCoCo, AIM.</summary>
    V,
}

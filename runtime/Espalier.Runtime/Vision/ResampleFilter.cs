namespace Espalier.Vision;

/// <summary>A reconstruction filter for resizing; the values are PIL's, which <c>preprocessor_config.json</c> stores in <c>resample</c>.</summary>
public enum ResampleFilter
{
    /// <summary>Windowed sinc over three samples to each side.</summary>
    Lanczos = 1,

    /// <summary>Triangle over one sample to each side.</summary>
    Bilinear = 2,

    /// <summary>Cubic convolution with a = -0.5 over two samples to each side (R. G. Keys, 1981).</summary>
    Bicubic = 3,
}

namespace Espalier.Imaging;

/// <summary>The file formats that are decoded. All others are refused, whatever the native library could read.</summary>
public enum ImageFormat
{
    /// <summary>JPEG, also the ordinary picture inside an Ultra HDR file.</summary>
    Jpeg,

    /// <summary>PNG.</summary>
    Png,

    /// <summary>WebP; of an animation, the first frame.</summary>
    WebP,

    /// <summary>GIF; of an animation, the first frame.</summary>
    Gif,

    /// <summary>TIFF; of several pages, the first.</summary>
    Tiff,
}

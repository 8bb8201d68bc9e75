using Espalier.Imaging;
using Espalier.Vision;

namespace Espalier.Evaluation;

/// <summary>Reads pictures.</summary>
internal static class Pictures
{
    /// <summary>The pixels of a file.</summary>
    /// <exception cref="InputException">There is no such file.</exception>
    /// <exception cref="ImageException">The file is not a picture, or a broken or huge one.</exception>
    public static RgbImage Read(string path) =>
        File.Exists(path)
            ? ImageDecoder.Load(path).Rgb
            : throw new InputException($"{path}: there is no such file. Name a picture: PNG, JPEG, WebP, GIF or TIFF.");
}

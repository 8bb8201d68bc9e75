using Espalier.Imaging;
using Espalier.Vision;

namespace Espalier.Samples.Shapes;

/// <summary>Reads picture files.</summary>
internal static class Pictures
{
    /// <summary>The pixels of a file.</summary>
    /// <exception cref="CommandException">There is no such file.</exception>
    /// <exception cref="ImageException">The file is not a picture, or a broken or huge one.</exception>
    public static RgbImage Read(string path) =>
        File.Exists(path)
            ? ImageDecoder.Load(path).Rgb
            : throw new CommandException($"{path}: there is no such file. Name a picture, for example samples/images/circle.png.");
}

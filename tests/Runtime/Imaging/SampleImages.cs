using Espalier.Imaging;

namespace Espalier.Tests.Imaging;

/// <summary>The files that make_files.py writes, and the picture that they all show.</summary>
internal static class SampleImages
{
    public const int Width = 24;
    public const int Height = 16;
    private const int Block = 8;

    private static readonly byte[][] Blocks =
    [
        [255, 0, 0], [0, 255, 0], [0, 0, 255],
        [255, 255, 255], [0, 0, 0], [255, 255, 0],
    ];

    public static string Find(string name) => RepositoryFolder.Combine("tests", "Runtime", "Imaging", "files", name);

    public static byte[] Read(string name) => File.ReadAllBytes(Find(name));

    /// <summary>The colour that the picture has at a position.</summary>
    public static byte[] Color(int x, int y) => Blocks[(y / Block * 3) + (x / Block)];

    /// <summary>Checks all pixels.</summary>
    public static void AssertShows(Func<int, int, byte[]> expected, DecodedImage image, int tolerance)
    {
        Assert.Equal((Width, Height), (image.Width, image.Height));
        Assert.Equal(Width * Height * 3, image.Pixels.Length);
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                byte[] actual = Pixel(image, x, y);
                byte[] wanted = expected(x, y);
                for (int channel = 0; channel < 3; channel++)
                {
                    Assert.True(
                        Math.Abs(actual[channel] - wanted[channel]) <= tolerance,
                        $"pixel {x}, {y} is {string.Join(' ', actual)} and not {string.Join(' ', wanted)}");
                }
            }
        }
    }

    private static byte[] Pixel(DecodedImage image, int x, int y) => image.Pixels.AsSpan(((y * image.Width) + x) * 3, 3).ToArray();
}

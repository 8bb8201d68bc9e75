using Espalier.Planning;

namespace Espalier.Benchmarks.Decoders;

/// <summary>Seeded tokens, pixels and pictures.</summary>
internal static class RandomInputs
{
    private const int Seed = 20261121;

    /// <summary>Token ids that have a row and are not the image's.</summary>
    public static int[] Tokens(ModelGeometry geometry, int count)
    {
        var random = new Random(Seed);
        var tokens = new int[count];
        for (int i = 0; i < count; i++)
        {
            do
            {
                tokens[i] = random.Next(geometry.Text.Vocabulary);
            }
            while (tokens[i] == geometry.ImageTokenId);
        }

        return tokens;
    }

    /// <summary>Normalised pixels of one image.</summary>
    public static float[] Pixels(ModelGeometry geometry)
    {
        var random = new Random(Seed);
        var pixels = new float[3 * geometry.Vision.ImageSize * geometry.Vision.ImageSize];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (random.NextSingle() * 4) - 2;
        }

        return pixels;
    }

    /// <summary>8-bit noise.</summary>
    public static byte[] Picture(int width, int height)
    {
        var bytes = new byte[3 * width * height];
        new Random(Seed).NextBytes(bytes);
        return bytes;
    }
}

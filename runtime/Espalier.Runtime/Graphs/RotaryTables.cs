using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Computes the cosines and sines that the rotary embedding of every decoder layer reads.</summary>
internal static class RotaryTables
{
    /// <summary>Columns of each table: one for each rotated pair of a head.</summary>
    public static int Width(TextGeometry geometry) => geometry.HeadDim / 2;

    /// <summary>What the rotation alone makes of the product of a query and a key, by their distance: both all ones, divided by the square root of the head's width.</summary>
    /// <param name="geometry">The decoder.</param>
    /// <param name="distances">Distances, from 0 on.</param>
    public static float[] Responses(TextGeometry geometry, int distances)
    {
        var responses = new float[distances];
        for (int distance = 0; distance < distances; distance++)
        {
            // A pair of ones, turned by two angles: twice the cosine of their difference.
            double sum = 0;
            for (int pair = 0; pair < Width(geometry); pair++)
            {
                sum += Math.Cos((double)distance * Frequency(geometry, pair));
            }

            responses[distance] = (float)(2 * sum / Math.Sqrt(geometry.HeadDim));
        }

        return responses;
    }

    /// <summary>Fills both tables. The angles are rounded to single precision first, as the reference implementations do.</summary>
    /// <param name="geometry">The decoder.</param>
    /// <param name="cosines">Row-major [MaxPositions, HeadDim / 2], for <see cref="DerivedWeights.RopeCos"/>.</param>
    /// <param name="sines">Row-major [MaxPositions, HeadDim / 2], for <see cref="DerivedWeights.RopeSin"/>.</param>
    /// <exception cref="ArgumentException">A span has not exactly MaxPositions · HeadDim / 2 elements.</exception>
    public static void Fill(TextGeometry geometry, Span<float> cosines, Span<float> sines)
    {
        int width = Width(geometry);
        long elements = (long)geometry.MaxPositions * width;
        if (cosines.Length != elements || sines.Length != elements)
        {
            throw new ArgumentException($"The rotary tables need {elements} elements, not {cosines.Length} and {sines.Length}.");
        }

        for (int pair = 0; pair < width; pair++)
        {
            float frequency = Frequency(geometry, pair);
            for (int position = 0; position < geometry.MaxPositions; position++)
            {
                var (sine, cosine) = Math.SinCos(position * frequency);
                cosines[position * width + pair] = (float)cosine;
                sines[position * width + pair] = (float)sine;
            }
        }
    }

    private static float Frequency(TextGeometry geometry, int pair) => 1f / MathF.Pow(geometry.RopeTheta, 2f * pair / geometry.HeadDim);
}

using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Espalier.Tests.Reduction;

/// <summary>The golden vectors of the kernels: small ones in doubles, larger ones of tests/reference/reductions.py, and the numbers that both are made of.</summary>
internal static class ReductionGoldens
{
    public static JsonElement Small { get; } = Read("golden-small.json");

    public static JsonElement Large { get; } = Read("../../reference/goldens/reductions/kernels.json");

    /// <summary>Those of tests/reference/tower_reductions.py.</summary>
    public static JsonElement Tower { get; } = Read("../../reference/goldens/reductions/tower.json");

    /// <summary>The kernels of the decoder.</summary>
    public static JsonElement Decoder { get; } = Read("../../reference/goldens/reductions/decoder.json");

    /// <summary>AIM's merge and PageRank.</summary>
    public static JsonElement Aim { get; } = Read("../../reference/goldens/reductions/aim.json");

    /// <summary>s = (1103515245 s + 12345) mod 2³¹, value s / 2³¹ − 0.5.</summary>
    public static double[] Lcg(int count, long seed)
    {
        var values = new double[count];
        long state = seed;
        for (int i = 0; i < count; i++)
        {
            state = ((state * 1103515245) + 12345) % (1L << 31);
            values[i] = (state / (double)(1L << 31)) - 0.5;
        }

        return values;
    }

    /// <summary>Rows around a few centres, so that some are near each other.</summary>
    public static float[] Clustered(int rows, int columns, long seed, int centres = 12)
    {
        double[] own = Lcg(rows * columns, seed);
        double[] around = Lcg(centres * columns, seed + 1);
        return [.. own.Select((value, i) => (float)(value + (1.5 * around[(i / columns % centres * columns) + (i % columns)])))];
    }

    public static float[] Floats(double[] values, double offset = 0) => [.. values.Select(value => (float)(value + offset))];

    public static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(static item => item.GetInt32())];

    public static float[] Floats(JsonElement array) => [.. array.EnumerateArray().SelectMany(static item => item.ValueKind == JsonValueKind.Array ? Floats(item) : [item.GetSingle()])];

    /// <summary>What a kernel's weights make of rows, in doubles.</summary>
    public static float[] Mix(float[] weights, float[] rows, int columns)
    {
        int width = rows.Length / columns;
        var mixed = new float[weights.Length / columns * width];
        for (int row = 0; row < weights.Length / columns; row++)
        {
            for (int x = 0; x < width; x++)
            {
                double sum = 0;
                for (int column = 0; column < columns; column++)
                {
                    sum += (double)weights[(row * columns) + column] * rows[(column * width) + x];
                }

                mixed[(row * width) + x] = (float)sum;
            }
        }

        return mixed;
    }

    public static void AssertClose(float[] expected, float[] actual, float tolerance = 1e-5f)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"Element {i}: {expected[i]} expected, {actual[i]} found.");
        }
    }

    public static JsonElement Read(string file, [CallerFilePath] string here = "") =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(here)!, file))).RootElement;
}

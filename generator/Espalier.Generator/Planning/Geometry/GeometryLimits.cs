using System.Globalization;

namespace Espalier.Planning;

/// <summary>Bounds on the numbers of a config: far above every released model, far below where products of them overflow.</summary>
internal static class GeometryLimits
{
    public const int Layers = 512;
    public const int Width = 1 << 16;
    public const int Intermediate = 1 << 18;
    public const int Heads = 1 << 10;
    public const int HeadDim = 1 << 10;
    public const int Vocabulary = 1 << 22;
    public const int Positions = 1 << 21;

    /// <summary>Positions times the width of a head: what the tables of the rotary embedding hold, 1 GiB in fp32.</summary>
    public const long RotaryTables = 1L << 28;

    /// <summary>Smallest epsilon that a float still adds to a variance of zero.</summary>
    public const double MinEpsilon = 1e-30;
    public const double MaxEpsilon = 1;

    /// <summary>A sentence with one number, whatever the culture.</summary>
    public static string Sentence(string format, int number) => string.Format(CultureInfo.InvariantCulture, format, number);
}

namespace Espalier.Vision;

/// <summary>An image processor class of the Hugging Face library, with the values that its constructor gives to absent fields.</summary>
internal sealed record ImageProcessorClass(
    string Name,
    ResizeTarget Size,
    int? CropEdge,
    bool CanPadToSquare,
    bool IgnoresPadding,
    double[] Mean,
    double[] Deviation)
{
    private const string FastSuffix = "Fast";

    private static readonly double[] ClipMean = [0.48145466, 0.4578275, 0.40821073];
    private static readonly double[] ClipDeviation = [0.26862954, 0.26130258, 0.27577711];
    private static readonly double[] Half = [0.5, 0.5, 0.5];

    private static readonly ImageProcessorClass Clip = new(
        "CLIPImageProcessor", new ResizeTarget(224, 0, 0), CropEdge: 224, CanPadToSquare: false, IgnoresPadding: false, ClipMean, ClipDeviation);

    private static readonly ImageProcessorClass[] All =
    [
        Clip,
        Clip with { Name = "CLIPFeatureExtractor" },
        Clip with { Name = "LlavaImageProcessor", CanPadToSquare = true },
        new("SiglipImageProcessor", new ResizeTarget(0, 224, 224), CropEdge: null, CanPadToSquare: false, IgnoresPadding: false, Half, Half),

        // Its do_pad pads the list of tiles, not the picture; a single tile is squeezed to the exact size.
        new("LlavaOnevisionImageProcessor", new ResizeTarget(0, 384, 384), CropEdge: null, CanPadToSquare: false, IgnoresPadding: true, ClipMean, ClipDeviation),
    ];

    /// <summary>The class names that are understood, for messages.</summary>
    public static string Names { get; } = string.Join(", ", All.Select(known => known.Name));

    /// <summary>Finds a class. The "Fast" classes take the same fields and defaults; they resize by another library, a few grey levels away, and are served as the others are.</summary>
    public static ImageProcessorClass? Find(string name)
    {
        string slow = name.EndsWith(FastSuffix, StringComparison.Ordinal) ? name[..^FastSuffix.Length] : name;
        return Array.Find(All, known => known.Name.Equals(slow, StringComparison.Ordinal));
    }
}

using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>Vision tower and projector, bound for one sequence: pixels become visual rows.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed unsafe class ImageEncoder : IDisposable
{
    private readonly LayerBinding _tower;
    private readonly LayerBinding _projector;
    private readonly NativeBuffer _pixels;
    private readonly NativeBuffer _features;
    private readonly nint _pixelTensor;
    private readonly nint _featureTensor;

    public ImageEncoder(ModelSessions sessions)
    {
        VisionGeometry vision = sessions.Geometry.Vision;
        PixelCount = 3 * vision.ImageSize * vision.ImageSize;
        nuint pixelBytes = (nuint)PixelCount * sizeof(float);
        nuint featureBytes = (nuint)vision.FeatureTokens * (nuint)vision.Hidden * sizeof(float);
        _pixels = NativeBuffer.Allocate(pixelBytes);
        _features = NativeBuffer.Allocate(featureBytes);
        _pixelTensor = OrtRaw.CreateTensor(_pixels.Pointer, pixelBytes, [1, 3, vision.ImageSize, vision.ImageSize], OrtElementType.Float);
        _featureTensor = OrtRaw.CreateTensor(_features.Pointer, featureBytes, [1, vision.FeatureTokens, vision.Hidden], OrtElementType.Float);
        _tower = new LayerBinding(sessions.Vision);
        _tower.BindInput("pixels\0"u8, _pixelTensor);
        _tower.BindOutput("features\0"u8, _featureTensor);
        _projector = new LayerBinding(sessions.Projector);
        _projector.BindInput("features\0"u8, _featureTensor);
    }

    /// <summary>Floats of one image: <c>[3, imageSize, imageSize]</c>.</summary>
    public int PixelCount { get; }

    /// <summary>The pixel buffer, for the caller to fill: normalised, channel by channel.</summary>
    public Span<float> Pixels => new((void*)_pixels.Pointer, PixelCount);

    /// <summary>Runs the tower over the pixels.</summary>
    public void Encode() => _tower.Run();

    /// <summary>Projects the features into a tensor <c>[1, visualTokens, hidden]</c>.</summary>
    public void ProjectInto(nint rows)
    {
        _projector.BindOutput("y\0"u8, rows);
        _projector.Run();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tower.Dispose();
        _projector.Dispose();
        OrtRaw.ReleaseValue(_pixelTensor);
        OrtRaw.ReleaseValue(_featureTensor);
        _pixels.Dispose();
        _features.Dispose();
    }
}

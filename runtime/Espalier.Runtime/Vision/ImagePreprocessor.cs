using System.Buffers;

namespace Espalier.Vision;

/// <summary>
/// Turns pictures into the input of a vision tower as a Hugging Face <c>preprocessor_config.json</c> says: pad, resize,
/// crop, rescale, normalise. Understands CLIPImageProcessor, SiglipImageProcessor, LlavaImageProcessor, and
/// LlavaOnevisionImageProcessor for a single tile. Resizing is PIL's: separable, antialiased, fixed-point, rounded to
/// 8 bits after each pass; everything after it is single precision.
/// Immutable and safe to use from several threads. Scratch memory is pooled: repeated calls at one shape allocate nothing.
/// </summary>
public sealed class ImagePreprocessor
{
    /// <summary>The longest edge, in pixels, of an image that <see cref="Process"/> accepts.</summary>
    public const int MaximumImageEdge = 65_535;

    /// <summary>The longest edge, in pixels, that a configuration may ask for.</summary>
    public const int MaximumOutputEdge = 4_096;

    /// <summary>The largest buffer, in bytes, that a resize may need between its two passes.</summary>
    public const int MaximumIntermediateBytes = 1 << 28;

    private const int MaximumConfigBytes = 1 << 20;
    private const int Levels = 256;

    private readonly PreprocessorConfig _config;
    private readonly byte[] _padding;

    // Per channel, the model's input for each of the 256 grey levels: rescaling and normalising are pure functions of the level.
    private readonly float[] _levels;

    private ImagePreprocessor(PreprocessorConfig config)
    {
        _config = config;
        (OutputWidth, OutputHeight) = OutputSize(config);

        _padding = new byte[RgbImage.Channels];
        _levels = new float[RgbImage.Channels * Levels];
        for (int channel = 0; channel < RgbImage.Channels; channel++)
        {
            _padding[channel] = config.PadToSquare ? (byte)(config.Mean[channel] * byte.MaxValue) : (byte)0;
            for (int level = 0; level < Levels; level++)
            {
                _levels[(channel * Levels) + level] = Level(config, channel, level);
            }
        }
    }

    /// <summary>The width of the output in pixels.</summary>
    public int OutputWidth { get; }

    /// <summary>The height of the output in pixels.</summary>
    public int OutputHeight { get; }

    /// <summary>The number of floats that <see cref="Process"/> writes: 3 x <see cref="OutputHeight"/> x <see cref="OutputWidth"/>.</summary>
    public int OutputLength => RgbImage.Channels * OutputHeight * OutputWidth;

    /// <summary>Reads a configuration file.</summary>
    /// <param name="preprocessorConfigJsonPath">The path of a <c>preprocessor_config.json</c>.</param>
    /// <exception cref="PreprocessorException">The file is missing, unreadable, malformed, or asks for what is not supported.</exception>
    public static ImagePreprocessor Open(string preprocessorConfigJsonPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(preprocessorConfigJsonPath);
        try
        {
            if (EmptyFile.Is(preprocessorConfigJsonPath))
            {
                return Parse(ReadOnlyMemory<byte>.Empty, preprocessorConfigJsonPath);
            }

            using FileStream file = File.OpenRead(preprocessorConfigJsonPath);
            if (file.Length > MaximumConfigBytes)
            {
                throw new PreprocessorException(preprocessorConfigJsonPath, null, $"is longer than {MaximumConfigBytes} bytes, which no preprocessor_config.json is");
            }

            var json = new byte[file.Length];
            file.ReadExactly(json);
            return Parse(json, preprocessorConfigJsonPath);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new PreprocessorException(preprocessorConfigJsonPath, null, $"cannot be read: {problem.Message}", problem);
        }
    }

    /// <summary>Reads a configuration from memory.</summary>
    /// <param name="utf8Json">The text of a <c>preprocessor_config.json</c>; not kept.</param>
    /// <param name="source">What to call the text in messages, usually its path.</param>
    /// <exception cref="PreprocessorException">The text is malformed or asks for what is not supported.</exception>
    public static ImagePreprocessor Parse(ReadOnlyMemory<byte> utf8Json, string source = "preprocessor_config.json")
    {
        ArgumentNullException.ThrowIfNull(source);
        return new ImagePreprocessor(PreprocessorConfigReader.Read(utf8Json, source));
    }

    /// <summary>Writes an image as the model takes it.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="destination">Receives <see cref="OutputLength"/> floats of shape [3, <see cref="OutputHeight"/>, <see cref="OutputWidth"/>]; what lies behind is left alone.</param>
    /// <exception cref="ArgumentException">The image is a default value, or the destination is too short.</exception>
    /// <exception cref="PreprocessorException">The image exceeds <see cref="MaximumImageEdge"/> or <see cref="MaximumIntermediateBytes"/>.</exception>
    public void Process(in RgbImage image, Span<float> destination)
    {
        if (image.Width == 0)
        {
            throw new ArgumentException("the image is a default value; construct it from pixels", nameof(image));
        }

        if (destination.Length < OutputLength)
        {
            throw new ArgumentException(string.Create(null, $"the destination holds {destination.Length} floats, but {OutputLength} are written"), nameof(destination));
        }

        if (Math.Max(image.Width, image.Height) > MaximumImageEdge)
        {
            throw TooLarge(image, $"ImagePreprocessor.MaximumImageEdge, {MaximumImageEdge} pixels");
        }

        int square = Math.Max(image.Width, image.Height);
        (int sourceWidth, int sourceHeight) = _config.PadToSquare ? (square, square) : (image.Width, image.Height);
        (int width, int height) = _config.Resize is { } target ? target.For(sourceWidth, sourceHeight) : (sourceWidth, sourceHeight);

        // The output is a window of the resized image; only that window is computed. A negative offset is a zero border.
        Window columns = Window.Centered(width, OutputWidth);
        Window rows = Window.Centered(height, OutputHeight);
        Span<float> output = destination[..OutputLength];
        if (columns.Count < OutputWidth || rows.Count < OutputHeight)
        {
            FillWithBlack(output);
        }

        using var horizontal = new ResampleWeights(sourceWidth, width, columns.First, columns.Count, _config.Filter);
        using var vertical = new ResampleWeights(sourceHeight, height, rows.First, rows.Count, _config.Filter);
        int stride = columns.Count * RgbImage.Channels;
        int firstRow = vertical.FirstInput;
        int rowCount = vertical.EndInput - firstRow;
        if ((long)stride * rowCount > MaximumIntermediateBytes)
        {
            throw TooLarge(image, $"ImagePreprocessor.MaximumIntermediateBytes, {MaximumIntermediateBytes} bytes between the passes of the resize");
        }

        byte[] between = ArrayPool<byte>.Shared.Rent(stride * rowCount);
        byte[] line = ArrayPool<byte>.Shared.Rent(Math.Max(stride, (sourceWidth * RgbImage.Channels) + ResamplePass.RowSlack));
        var padded = new PaddedRows(image, sourceWidth, sourceHeight, _padding);
        for (int row = 0; row < rowCount; row++)
        {
            padded.Read(firstRow + row, line);
            ResamplePass.Horizontal(line, horizontal, between.AsSpan(row * stride, stride));
        }

        Span<byte> resized = line.AsSpan(0, stride);
        for (int row = 0; row < rows.Count; row++)
        {
            ResamplePass.Vertical(between.AsSpan((vertical.Start(row) - firstRow) * stride), vertical.Taps(row), resized);
            WriteRow(resized, rows.Target + row, columns.Target, output);
        }

        ArrayPool<byte>.Shared.Return(between);
        ArrayPool<byte>.Shared.Return(line);
    }

    private void WriteRow(ReadOnlySpan<byte> pixels, int row, int column, Span<float> output)
    {
        int plane = OutputWidth * OutputHeight;
        int count = pixels.Length / RgbImage.Channels;
        for (int channel = 0; channel < RgbImage.Channels; channel++)
        {
            Span<float> target = output.Slice((channel * plane) + (row * OutputWidth) + column, count);
            ReadOnlySpan<float> levels = _levels.AsSpan(channel * Levels, Levels);
            for (int x = 0; x < target.Length; x++)
            {
                target[x] = levels[pixels[(x * RgbImage.Channels) + channel]];
            }
        }
    }

    private void FillWithBlack(Span<float> output)
    {
        int plane = OutputWidth * OutputHeight;
        for (int channel = 0; channel < RgbImage.Channels; channel++)
        {
            output.Slice(channel * plane, plane).Fill(_levels[channel * Levels]);
        }
    }

    private static (int Width, int Height) OutputSize(PreprocessorConfig config)
    {
        if (config.Crop is { } crop)
        {
            return crop;
        }

        // Without a crop the reader admits only targets that do not depend on the picture; a square stays a square.
        return config.Resize!.Value.For(1, 1);
    }

    private static float Level(PreprocessorConfig config, int channel, int level)
    {
        float value = config.RescaleFactor is { } factor ? (float)(level * factor) : level;
        return config.Normalization is { } by ? (value - (float)by.Mean[channel]) / (float)by.Deviation[channel] : value;
    }

    private static PreprocessorException TooLarge(in RgbImage image, string limit)
        => new(string.Create(null, $"image of {image.Width} x {image.Height} pixels"), null, $"exceeds the limit {limit}; scale it down before");

    /// <summary>Part of a line: samples <paramref name="First"/> on, <paramref name="Count"/> of them, go to position <paramref name="Target"/> on.</summary>
    private readonly record struct Window(int First, int Count, int Target)
    {
        public static Window Centered(int size, int window)
        {
            // Rounds towards negative infinity for odd differences of either sign, as Python's // does.
            int offset = (size - window) >> 1;
            int first = Math.Max(offset, 0);
            return new Window(first, Math.Min(size, offset + window) - first, Math.Max(-offset, 0));
        }
    }
}

using System.Text.Json;

namespace Espalier.Vision;

/// <summary>Reads <c>preprocessor_config.json</c> and refuses what it does not understand, so that no model silently sees other pixels than it was trained on.</summary>
internal readonly struct PreprocessorConfigReader
{
    private readonly JsonElement _root;
    private readonly string _source;

    private PreprocessorConfigReader(JsonElement root, string source)
    {
        _root = root;
        _source = source;
    }

    public static PreprocessorConfig Read(ReadOnlyMemory<byte> utf8Json, string source)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8Json);
        }
        catch (JsonException problem)
        {
            throw new PreprocessorException(source, null, $"is not valid JSON: {problem.Message}", problem);
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new PreprocessorException(source, null, "must hold a JSON object, as preprocessor_config.json does");
            }

            try
            {
                return new PreprocessorConfigReader(document.RootElement, source).Read();
            }
            catch (InvalidOperationException problem)
            {
                // The document holds text unchecked until it is read; broken surrogates and broken UTF-8 surface here.
                throw new PreprocessorException(source, null, "holds text that is not valid Unicode", problem);
            }
        }
    }

    private PreprocessorConfig Read()
    {
        ImageProcessorClass type = ReadClass();
        bool resize = Flag("do_resize", true);
        bool crop = ReadCrop(type);
        bool pad = ReadPad(type);
        bool rescale = Flag("do_rescale", true);
        bool normalize = Flag("do_normalize", true);

        double[] mean = Channels("image_mean", type.Mean);
        double[] deviation = Channels("image_std", type.Deviation);
        if (normalize && Array.Exists(deviation, value => (float)value == 0f))
        {
            throw Problem("image_std", "must not hold 0: pixels are divided by it");
        }

        if (pad && Array.Exists(mean, value => value is < 0 or > 1))
        {
            throw Problem("image_mean", "must lie between 0 and 1 when 'do_pad' is true: it is the colour of the padding");
        }

        ResizeTarget size = Size("size", allowShortestEdge: type.Size.ShortestEdge != 0) ?? type.Size;
        if (resize && !crop && !pad && size.ShortestEdge != 0)
        {
            throw Problem("size", "with 'shortest_edge' and without 'do_center_crop' makes images of varying size; set do_center_crop and crop_size, or give height and width");
        }

        if (!resize && !crop)
        {
            throw Problem("do_resize", "is false and 'do_center_crop' is not true, which makes images of varying size; set one of them");
        }

        int cropEdge = type.CropEdge ?? 0;
        ResizeTarget cropSize = Size("crop_size", allowShortestEdge: false) ?? new ResizeTarget(0, cropEdge, cropEdge);
        return new PreprocessorConfig
        {
            Source = _source,
            PadToSquare = pad,
            Resize = resize ? size : null,
            Filter = ReadFilter(),
            Crop = crop ? (cropSize.Width, cropSize.Height) : null,
            RescaleFactor = rescale ? Number("rescale_factor", 1.0 / 255.0) : null,
            Normalization = normalize ? (mean, deviation) : null,
            Mean = mean,
        };
    }

    private ImageProcessorClass ReadClass()
    {
        foreach (string field in (ReadOnlySpan<string>)["image_processor_type", "feature_extractor_type"])
        {
            if (!Find(field, out JsonElement value))
            {
                continue;
            }

            if (value.ValueKind != JsonValueKind.String)
            {
                throw Problem(field, $"must be a string, one of {ImageProcessorClass.Names}");
            }

            string name = value.GetString()!;
            return ImageProcessorClass.Find(name) ?? throw Problem(field, $"is '{Shorten(name)}', which is not supported; supported are {ImageProcessorClass.Names}");
        }

        throw Problem("image_processor_type", $"is missing; it must be one of {ImageProcessorClass.Names}");
    }

    private bool ReadCrop(ImageProcessorClass type)
    {
        bool crop = Flag("do_center_crop", type.CropEdge is not null);
        if (crop && type.CropEdge is null)
        {
            throw Problem("do_center_crop", $"is true, but {type.Name} does not crop; set it to false or remove it");
        }

        return crop;
    }

    private bool ReadPad(ImageProcessorClass type)
    {
        bool pad = Flag("do_pad", false) && !type.IgnoresPadding;
        if (pad && !type.CanPadToSquare)
        {
            throw Problem("do_pad", $"is true, but {type.Name} does not pad; use LlavaImageProcessor to pad to a square, or set it to false");
        }

        return pad;
    }

    private ResampleFilter ReadFilter()
    {
        if (!Find("resample", out JsonElement value))
        {
            return ResampleFilter.Bicubic;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int code)
            && (ResampleFilter)code is ResampleFilter.Lanczos or ResampleFilter.Bilinear or ResampleFilter.Bicubic)
        {
            return (ResampleFilter)code;
        }

        throw Problem("resample", $"is {Shorten(value.GetRawText())}; supported are 1 (Lanczos), 2 (bilinear) and 3 (bicubic)");
    }

    /// <summary>Reads a size: a number, {"shortest_edge"} or {"height", "width"}. A number is the shortest edge where that is allowed, for the CLIP classes write it so; elsewhere a square.</summary>
    private ResizeTarget? Size(string field, bool allowShortestEdge)
    {
        if (!Find(field, out JsonElement value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number)
        {
            int edge = Edge(field, value);
            return allowShortestEdge ? new ResizeTarget(edge, 0, 0) : new ResizeTarget(0, edge, edge);
        }

        int? shortestEdge = null, height = null, width = null;
        bool understood = value.ValueKind == JsonValueKind.Object;
        if (understood)
        {
            foreach (JsonProperty member in value.EnumerateObject())
            {
                if (member.NameEquals("shortest_edge"))
                {
                    shortestEdge = Edge($"{field}.shortest_edge", member.Value);
                }
                else if (member.NameEquals("height"))
                {
                    height = Edge($"{field}.height", member.Value);
                }
                else if (member.NameEquals("width"))
                {
                    width = Edge($"{field}.width", member.Value);
                }
                else
                {
                    understood = false;
                }
            }
        }

        if (understood && allowShortestEdge && shortestEdge is { } shortestValue && height is null && width is null)
        {
            return new ResizeTarget(shortestValue, 0, 0);
        }

        if (understood && shortestEdge is null && height is { } heightValue && width is { } widthValue)
        {
            return new ResizeTarget(0, widthValue, heightValue);
        }

        string shortestForm = allowShortestEdge ? "{\"shortest_edge\": n}, " : string.Empty;
        throw Problem(field, $"must be a number, {shortestForm}or {{\"height\": n, \"width\": n}}, but is {Shorten(value.GetRawText())}");
    }

    private int Edge(string field, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int edge) && edge is >= 1 and <= ImagePreprocessor.MaximumOutputEdge)
        {
            return edge;
        }

        throw Problem(field, $"must be a whole number from 1 to {ImagePreprocessor.MaximumOutputEdge} (ImagePreprocessor.MaximumOutputEdge), but is {Shorten(value.GetRawText())}");
    }

    private double[] Channels(string field, double[] fallback)
    {
        if (!Find(field, out JsonElement value))
        {
            return fallback;
        }

        if (value.ValueKind == JsonValueKind.Number)
        {
            double same = Finite(field, value);
            return [same, same, same];
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != RgbImage.Channels)
        {
            throw Problem(field, $"must be a list of 3 numbers (red, green, blue) or one number, but is {Shorten(value.GetRawText())}");
        }

        var numbers = new double[RgbImage.Channels];
        for (int channel = 0; channel < numbers.Length; channel++)
        {
            numbers[channel] = Finite($"{field}[{channel}]", value[channel]);
        }

        return numbers;
    }

    private double Number(string field, double fallback) => Find(field, out JsonElement value) ? Finite(field, value) : fallback;

    private double Finite(string field, JsonElement value)
    {
        // Pixels are single precision: what overflows there would reach the model as infinity.
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && float.IsFinite((float)number))
        {
            return number;
        }

        throw Problem(field, $"must be a finite single-precision number, but is {Shorten(value.GetRawText())}");
    }

    /// <summary>Reads a flag. An absent flag has the class's default, an explicit null is false, as in Python.</summary>
    private bool Flag(string field, bool fallback)
    {
        if (!_root.TryGetProperty(field, out JsonElement value))
        {
            return fallback;
        }

        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False or JsonValueKind.Null => false,
            _ => throw Problem(field, $"must be true or false, but is {Shorten(value.GetRawText())}"),
        };
    }

    /// <summary>Finds a field that is not null; null stands for the default, as in Python.</summary>
    private bool Find(string field, out JsonElement value) => _root.TryGetProperty(field, out value) && value.ValueKind != JsonValueKind.Null;

    private PreprocessorException Problem(string field, string problem) => new(_source, field, problem);

    private static string Shorten(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 77), "...");
}

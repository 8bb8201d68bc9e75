using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Espalier.Planning;

namespace Espalier;

/// <summary>What a safetensors header says about one tensor. Offsets are absolute in the file.</summary>
internal sealed record StoredTensor(string Name, TensorType Type, long[] Shape, long Begin, long End);

/// <summary>What a safetensors header says.</summary>
/// <param name="Tensors">The tensors by ascending offset; together they cover the data once.</param>
/// <param name="Metadata">The texts of <c>__metadata__</c>; empty if there is none.</param>
internal sealed record SafetensorsContents(List<StoredTensor> Tensors, IReadOnlyDictionary<string, string> Metadata);

/// <summary>Reads and checks the header of a safetensors file. The file is taken to be hostile: nothing is allocated by a number in it before that number was checked.</summary>
/// <remarks>Format: 8 bytes length, little-endian; a JSON object of that length; the data, covered exactly once by the tensors.</remarks>
internal static class SafetensorsHeader
{
    /// <summary>The bound of the reference implementation.</summary>
    private const long MaxLength = 100_000_000;

    private const int LengthBytes = 8;
    private const int MaxRank = 8;

    /// <summary>Reads the header.</summary>
    /// <param name="handle">The open file.</param>
    /// <param name="fileLength">Its length in bytes.</param>
    /// <param name="file">Its path, for messages.</param>
    public static SafetensorsContents Read(Microsoft.Win32.SafeHandles.SafeFileHandle handle, long fileLength, string file)
    {
        Span<byte> prefix = stackalloc byte[LengthBytes];
        ReadExactly(handle, prefix, 0, file);
        ulong announced = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (announced > MaxLength)
        {
            throw new HeaderTooLongException(file, Invariant($"the header claims {announced} bytes; the format allows {MaxLength}. The file is damaged or not a safetensors file."));
        }

        if ((long)announced > fileLength - LengthBytes)
        {
            throw new TruncatedSafetensorsException(file, Invariant($"the header claims {announced} bytes, but only {fileLength - LengthBytes} follow. Download the file again."));
        }

        byte[] json = new byte[announced];
        ReadExactly(handle, json, LengthBytes, file);
        SafetensorsContents contents = Parse(json, LengthBytes + (long)announced, fileLength, file);
        CheckCoverage(contents.Tensors, LengthBytes + (long)announced, fileLength, file);
        return contents;
    }

    private static void ReadExactly(Microsoft.Win32.SafeHandles.SafeFileHandle handle, Span<byte> destination, long offset, string file)
    {
        while (destination.Length > 0)
        {
            int read = RandomAccess.Read(handle, destination, offset);
            if (read == 0)
            {
                throw new TruncatedSafetensorsException(file, "the file ends inside its header. Download the file again.");
            }

            destination = destination[read..];
            offset += read;
        }
    }

    private static SafetensorsContents Parse(ReadOnlySpan<byte> json, long dataStart, long fileLength, string file)
    {
        // The reference implementation refuses anything in front of the brace, so that a header starts at one place only.
        if (json.Length == 0 || json[0] != (byte)'{')
        {
            throw new MalformedHeaderException(file, "the header does not start with '{'.");
        }

        var tensors = new List<StoredTensor>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 3 });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!;
                reader.Read();
                if (!names.Add(name))
                {
                    throw new DuplicateTensorException(file, "the header names " + ConfigValue.Shorten(name) + " twice.");
                }

                if (name == "__metadata__")
                {
                    ReadMetadata(ref reader, metadata, file);
                }
                else
                {
                    tensors.Add(ReadTensor(ref reader, name, dataStart, fileLength, file));
                }
            }

            // A valid document ends here; Read throws on anything but white space.
            reader.Read();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not UTF-8, or half of a surrogate pair.
            throw new MalformedHeaderException(file, "the header is not valid JSON: " + ConfigValue.Shorten(exception.Message, 200));
        }

        tensors.Sort(static (a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        return new SafetensorsContents(tensors, metadata);
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata, string file)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new HeaderMetadataException(file, "__metadata__ must be an object.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                throw new HeaderMetadataException(file, "__metadata__." + ConfigValue.Shorten(name) + " must be a string.");
            }

            if (!metadata.TryAdd(name, reader.GetString()!))
            {
                throw new HeaderMetadataException(file, "__metadata__." + ConfigValue.Shorten(name) + " stands there twice.");
            }
        }
    }

    private static StoredTensor ReadTensor(ref Utf8JsonReader reader, string name, long dataStart, long fileLength, string file)
    {
        string shown = ConfigValue.Shorten(name, 200);
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new MalformedHeaderException(file, "the entry of " + shown + " must be an object.");
        }

        string? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = reader.GetString()!;
            reader.Read();
            bool first = field switch
            {
                "dtype" => type is null,
                "shape" => shape is null,
                "data_offsets" => offsets is null,
                _ => throw new MalformedHeaderException(file, "the entry of " + shown + " has the unknown field " + ConfigValue.Shorten(field) + "."),
            };
            if (!first)
            {
                throw new MalformedHeaderException(file, "the entry of " + shown + " has " + field + " twice.");
            }

            if (field == "dtype")
            {
                type = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new MalformedHeaderException(file, "the dtype of " + shown + " must be a string.");
            }
            else if (field == "shape")
            {
                shape = ReadNumbers(ref reader, MaxRank) ?? throw new InvalidTensorShapeException(file, Invariant($"the shape of {shown} must be a list of at most {MaxRank} whole numbers in 64 bits."));
            }
            else
            {
                offsets = ReadNumbers(ref reader, 2) is { Length: 2 } pair ? pair : throw new TensorOffsetsException(file, "the data_offsets of " + shown + " must be two whole numbers in 64 bits.");
            }
        }

        if (type is null || shape is null || offsets is null)
        {
            throw new MalformedHeaderException(file, "the entry of " + shown + " needs dtype, shape and data_offsets.");
        }

        return Check(name, shown, type, shape, offsets, dataStart, fileLength, file);
    }

    /// <summary>The whole numbers of an array, or null if it is none or has more than <paramref name="most"/>.</summary>
    private static long[]? ReadNumbers(ref Utf8JsonReader reader, int most)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return null;
        }

        Span<long> numbers = stackalloc long[MaxRank];
        int count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (count == most || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out numbers[count]))
            {
                return null;
            }

            count++;
        }

        return numbers[..count].ToArray();
    }

    private static StoredTensor Check(string name, string shown, string typeName, long[] shape, long[] offsets, long dataStart, long fileLength, string file)
    {
        if (!TensorTypes.TryParse(typeName, out TensorType type))
        {
            throw new UnknownTensorTypeException(file, shown + " has the unknown dtype " + ConfigValue.Shorten(typeName) + ".");
        }

        if (!Shapes.TryCountElements(shape, out long elements) || elements > long.MaxValue / type.Bits())
        {
            throw new InvalidTensorShapeException(file, shown + " has the shape " + Shapes.Format(shape) + ": dimensions must not be negative, nor their product exceed 64 bits.");
        }

        long dataLength = fileLength - dataStart;
        if (offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > dataLength)
        {
            throw new TensorOffsetsException(file, Invariant($"{shown} claims the bytes {offsets[0]} to {offsets[1]} of {dataLength} bytes of data."));
        }

        long bits = elements * type.Bits();
        if (bits % 8 != 0 || bits / 8 != offsets[1] - offsets[0])
        {
            throw new TensorSizeException(file, Invariant($"{shown} is {typeName} of shape {Shapes.Format(shape)}, which is not the {offsets[1] - offsets[0]} bytes that its offsets span."));
        }

        return new StoredTensor(name, type, shape, dataStart + offsets[0], dataStart + offsets[1]);
    }

    private static void CheckCoverage(List<StoredTensor> tensors, long dataStart, long fileLength, string file)
    {
        long covered = dataStart;
        foreach (StoredTensor tensor in tensors)
        {
            if (tensor.Begin < covered)
            {
                throw new OverlappingTensorsException(file, ConfigValue.Shorten(tensor.Name, 200) + " shares bytes with the tensor before it.");
            }

            if (tensor.Begin > covered)
            {
                throw new UncoveredDataException(file, Invariant($"{tensor.Begin - covered} bytes before {ConfigValue.Shorten(tensor.Name, 200)} belong to no tensor."));
            }

            covered = tensor.End;
        }

        if (covered != fileLength)
        {
            throw new UncoveredDataException(file, Invariant($"{fileLength - covered} bytes at the end belong to no tensor."));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Espalier.Benchmarks.Synthesis;

/// <summary>Writes synthetic tensors as one safetensors file, or as shards with an index if they are larger than one shard may be. Holds one block of a tensor in memory at a time.</summary>
internal sealed class SafetensorsWriter(string folder, TensorType type, NormalSource source, long maxShardBytes)
{
    private const int BlockElements = 1 << 22;

    private readonly float[] _floats = new float[BlockElements];
    private readonly byte[] _bytes = new byte[BlockElements * sizeof(float)];

    private int ElementBytes => type.Bits() / 8;

    /// <summary>Bytes that the tensors take.</summary>
    public static long ByteLength(IEnumerable<SyntheticTensor> tensors, TensorType type) => tensors.Sum(tensor => tensor.Elements * (type.Bits() / 8));

    /// <summary>Writes the tensors.</summary>
    /// <param name="tensors">In the order of the files.</param>
    /// <param name="progress">Told the bytes that are written, after each block.</param>
    /// <param name="cancellationToken">Looked at before each block.</param>
    public void Write(IReadOnlyList<SyntheticTensor> tensors, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        List<List<SyntheticTensor>> shards = Cut(tensors);
        long written = 0;
        for (int i = 0; i < shards.Count; i++)
        {
            WriteShard(Path.Combine(folder, ShardName(i, shards.Count)), shards[i], ref written, progress, cancellationToken);
        }

        if (shards.Count > 1)
        {
            WriteIndex(shards, written);
        }
    }

    private List<List<SyntheticTensor>> Cut(IReadOnlyList<SyntheticTensor> tensors)
    {
        List<List<SyntheticTensor>> shards = [[]];
        long bytes = 0;
        foreach (SyntheticTensor tensor in tensors)
        {
            long size = tensor.Elements * ElementBytes;
            if (bytes + size > maxShardBytes && shards[^1].Count > 0)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(tensor);
            bytes += size;
        }

        return shards;
    }

    private static string ShardName(int shard, int count) => count == 1 ? "model.safetensors" : $"model-{shard + 1:D5}-of-{count:D5}.safetensors";

    private void WriteShard(string file, List<SyntheticTensor> tensors, ref long written, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        using var stream = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        stream.Write(Header(tensors));
        foreach (SyntheticTensor tensor in tensors)
        {
            for (long first = 0; first < tensor.Elements; first += BlockElements)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = (int)Math.Min(BlockElements, tensor.Elements - first);
                ReadOnlySpan<byte> block = Block(tensor, first, count);
                stream.Write(block);
                progress?.Report(written += block.Length);
            }
        }
    }

    private ReadOnlySpan<byte> Block(SyntheticTensor tensor, long first, int count)
    {
        Span<float> floats = _floats.AsSpan(0, count);
        switch (tensor.Content)
        {
            case TensorContent.Normal:
                source.Fill(tensor.Name, first, _floats.AsMemory(0, count));
                break;
            case TensorContent.Ones:
                floats.Fill(1f);
                break;
            default:
                floats.Clear();
                break;
        }

        if (type == TensorType.F32)
        {
            return MemoryMarshal.AsBytes(floats);
        }

        Span<byte> bytes = _bytes.AsSpan(0, count * ElementBytes);
        if (type == TensorType.F16)
        {
            TensorPrimitives.ConvertToHalf(floats, MemoryMarshal.Cast<byte, Half>(bytes));
        }
        else
        {
            Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes);
            for (int i = 0; i < count; i++)
            {
                // The upper half of a float, rounded to nearest even; synthetic numbers are finite.
                uint bits = BitConverter.SingleToUInt32Bits(floats[i]);
                halves[i] = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
            }
        }

        return bytes;
    }

    private byte[] Header(List<SyntheticTensor> tensors)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            writer.WriteString("format", "pt");
            writer.WriteEndObject();
            long offset = 0;
            foreach (SyntheticTensor tensor in tensors)
            {
                writer.WriteStartObject(tensor.Name);
                writer.WriteString("dtype", type.ToString());
                WriteNumbers(writer, "shape", tensor.Shape);
                WriteNumbers(writer, "data_offsets", [offset, offset += tensor.Elements * ElementBytes]);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        // Spaces behind the object, so that the data starts at a cache line.
        const int LengthBytes = sizeof(ulong), Line = 64;
        int padding = (int)(-(LengthBytes + json.Length) & (Line - 1));
        byte[] header = new byte[LengthBytes + json.Length + padding];
        BinaryPrimitives.WriteInt64LittleEndian(header, json.Length + padding);
        json.ToArray().CopyTo(header, LengthBytes);
        header.AsSpan(header.Length - padding).Fill((byte)' ');
        return header;
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, ReadOnlySpan<long> numbers)
    {
        writer.WriteStartArray(name);
        foreach (long number in numbers)
        {
            writer.WriteNumberValue(number);
        }

        writer.WriteEndArray();
    }

    private void WriteIndex(List<List<SyntheticTensor>> shards, long bytes)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("metadata");
            writer.WriteNumber("total_size", bytes);
            writer.WriteEndObject();
            writer.WriteStartObject("weight_map");
            for (int i = 0; i < shards.Count; i++)
            {
                foreach (SyntheticTensor tensor in shards[i])
                {
                    writer.WriteString(tensor.Name, ShardName(i, shards.Count));
                }
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), Encoding.UTF8.GetString(stream.ToArray()) + "\n");
    }
}

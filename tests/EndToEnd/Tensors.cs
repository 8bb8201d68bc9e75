using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Espalier.Tests;

/// <summary>A safetensors file as its header's entries and their bytes.</summary>
internal sealed class Tensors
{
    private readonly SortedDictionary<string, (JsonObject Entry, byte[] Bytes)> _tensors = new(StringComparer.Ordinal);

    public JsonObject? Metadata { get; set; }

    public IEnumerable<string> Names => _tensors.Keys;

    public static Tensors Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        var read = new Tensors();
        foreach ((string name, JsonNode? node) in JsonNode.Parse(file.AsSpan(8, length))!.AsObject())
        {
            if (name != "__metadata__")
            {
                int begin = node!["data_offsets"]![0]!.GetValue<int>();
                int end = node["data_offsets"]![1]!.GetValue<int>();
                read._tensors.Add(name, (node.DeepClone().AsObject(), file[(8 + length + begin)..(8 + length + end)]));
            }
        }

        return read;
    }

    public JsonObject Entry(string name) => _tensors[name].Entry;

    public byte[] Bytes(string name) => _tensors[name].Bytes;

    public void Set(string name, JsonObject entry, byte[] bytes) => _tensors[name] = (entry, bytes);

    /// <summary>Writes all tensors of a file into another, beside its own, and deletes the first.</summary>
    public static void Move(string from, string into)
    {
        Tensors merged = Read(into);
        Tensors moved = Read(from);
        foreach (string name in moved.Names)
        {
            merged.Set(name, moved.Entry(name), moved.Bytes(name));
        }

        merged.Write(into);
        File.Delete(from);
    }

    public void Remove(string name) => Assert.True(_tensors.Remove(name));

    public void Rename(string from, string to)
    {
        _tensors.Remove(from, out (JsonObject Entry, byte[] Bytes) tensor);
        _tensors.Add(to, tensor);
    }

    public void Write(string path)
    {
        var header = new JsonObject();
        if (Metadata is not null)
        {
            header.Add("__metadata__", Metadata.DeepClone());
        }

        using var data = new MemoryStream();

        // Larger elements first, so that all are aligned.
        foreach ((string name, (JsonObject entry, byte[] bytes)) in _tensors.OrderBy(static tensor => tensor.Value.Entry["dtype"]!.GetValue<string>() switch { "I64" => 0, "F32" => 1, _ => 2 }))
        {
            JsonObject moved = entry.DeepClone().AsObject();
            moved["data_offsets"] = new JsonArray(data.Length, data.Length + bytes.Length);
            data.Write(bytes);
            header.Add(name, moved);
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        byte[] file = [.. new byte[8], .. json, .. data.ToArray()];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        File.WriteAllBytes(path, file);
    }
}

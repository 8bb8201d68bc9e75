using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Espalier.Graphs.Formats;

namespace Espalier.Tests;

/// <summary>A copy of the smallest checkpoint in which the decoder's linear layers, those of Victor's file too, are what four bits hold of them: in single precision it computes what the other does with four-bit weights.</summary>
internal sealed class FourBitCopies : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public FourBitCopies()
    {
        foreach (string file in Directory.GetFiles(Goldens.Of("clip-llama").CheckpointFolder))
        {
            string copy = Path.Combine(_folder.Path, Path.GetFileName(file));
            File.Copy(file, copy);
            if (Path.GetFileName(file) is "model.safetensors" or "victor-4.safetensors")
            {
                Round(copy);
            }
        }
    }

    public Checkpoint Open() => Checkpoint.Open(_folder.Path);

    public void Dispose() => _folder.Dispose();

    private static void Round(string file)
    {
        Tensors tensors = Tensors.Read(file);
        foreach (string name in tensors.Names.ToArray())
        {
            int[] shape = [.. tensors.Entry(name)["shape"]!.AsArray().Select(static length => (int)length!)];
            bool isLinear = name.StartsWith("language_model.model.layers.", StringComparison.Ordinal) || name.EndsWith("lm_head.weight", StringComparison.Ordinal);
            if (isLinear && shape.Length == 2)
            {
                float[] values = tensors.Entry(name)["dtype"]!.GetValue<string>() == "F32"
                    ? MemoryMarshal.Cast<byte, float>(tensors.Bytes(name)).ToArray()
                    : [.. MemoryMarshal.Cast<byte, Half>(tensors.Bytes(name)).ToArray().Select(static half => (float)half)];
                Round(values, outputs: shape[0], inputs: shape[1]);
                JsonObject entry = tensors.Entry(name).DeepClone().AsObject();
                entry["dtype"] = "F32";
                tensors.Set(name, entry, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
            }
        }

        tensors.Write(file);
    }

    private static void Round(float[] values, int outputs, int inputs)
    {
        const int Block = Int4Blocks.BlockLength;
        int blocks = (inputs + Block - 1) / Block;
        var integers = new byte[blocks * Block / 2];
        var scales = new float[blocks];
        for (int output = 0; output < outputs; output++)
        {
            Span<float> row = values.AsSpan(output * inputs, inputs);
            Assert.True(Int4Blocks.Instance.Quantise(row.ToArray(), 0, 1, 1, integers, scales));
            for (int i = 0; i < inputs; i++)
            {
                row[i] = (((integers[i / 2] >> (i % 2 * 4)) & 15) - 8) * scales[i / Block];
            }
        }
    }
}

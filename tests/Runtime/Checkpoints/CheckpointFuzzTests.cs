using System.Buffers.Binary;
using Espalier.Tests.Configs;

namespace Espalier.Tests.Checkpoints;

/// <summary>Random damage to a valid checkpoint: it opens, and then every byte of it can be read, or a CheckpointException says why not.</summary>
public sealed class CheckpointFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void DamagedWeightsNeverEscape(int seed)
    {
        byte[] valid = SmallModel.Pack(SmallModel.Tensors(), "BF16");
        int header = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(valid);
        var random = new Random(seed);
        File.WriteAllText(_folder["config.json"], ConfigCorpus.Small);
        var rules = new HashSet<Type>();
        for (int round = 0; round < 1500; round++)
        {
            byte[] file = Damage(valid, header, random);
            File.WriteAllBytes(_folder["model.safetensors"], file);
            OpenAndReadAll(rules);
        }

        Assert.True(rules.Count >= 8, "The damage reached only " + string.Join(", ", rules.Select(rule => rule.Name)));
    }

    [Fact]
    public void DamagedIndicesAndConfigsNeverEscape()
    {
        SmallModel.Write(_folder, SmallModel.Tensors(), "F16", shards: 2);
        var random = new Random(4);
        var rules = new HashSet<Type>();
        foreach (string name in (string[])["config.json", "model.safetensors.index.json"])
        {
            byte[] valid = File.ReadAllBytes(_folder[name]);
            for (int round = 0; round < 800; round++)
            {
                File.WriteAllBytes(_folder[name], Damage(valid, valid.Length, random));
                OpenAndReadAll(rules);
            }

            File.WriteAllBytes(_folder[name], valid);
        }

        Assert.True(rules.Count >= 8, "The damage reached only " + string.Join(", ", rules.Select(rule => rule.Name)));
    }

    private void OpenAndReadAll(HashSet<Type> rules)
    {
        try
        {
            using var checkpoint = Checkpoint.Open(_folder.Path);
            foreach (string name in checkpoint.TensorNames)
            {
                Assert.True(checkpoint.TryGetTensor(name, out CheckpointTensor tensor));
                if (tensor.Type is TensorType.F32 or TensorType.F16 or TensorType.BF16)
                {
                    tensor.ReadFloats(0, new float[tensor.Elements]);
                }
            }

            rules.Add(typeof(Checkpoint));
        }
        catch (CheckpointException refusal)
        {
            rules.Add(refusal.GetType());
            Assert.DoesNotContain(refusal.Message, c => c is < ' ' or > '~');
        }
    }

    private static byte[] Damage(byte[] valid, int header, Random random)
    {
        byte[] file = (byte[])valid.Clone();
        for (int edits = random.Next(1, 4); edits > 0; edits--)
        {
            int at = random.Next(10) == 0 ? random.Next(Math.Min(8, file.Length)) : random.Next(Math.Min(header, file.Length));
            switch (random.Next(6))
            {
                case 0:
                    file[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    file[at] = (byte)random.Next(256);
                    break;
                case 2:
                    // A digit stays a digit: the JSON stays valid and the numbers lie.
                    at = Array.FindIndex(file, at, b => b is >= (byte)'0' and <= (byte)'9');
                    if (at >= 0)
                    {
                        file[at] = (byte)('0' + random.Next(10));
                    }

                    break;
                case 3:
                    file = file[..random.Next(1, file.Length)];
                    break;
                case 4:
                    file = [.. file, .. new byte[random.Next(1, 100)]];
                    break;
                default:
                    // Text moves within the file.
                    int length = Math.Min(random.Next(1, 60), file.Length - at);
                    int to = random.Next(file.Length - length + 1);
                    file.AsSpan(at, length).CopyTo(file.AsSpan(to));
                    break;
            }
        }

        return file;
    }
}

using Espalier.Planning;
using Espalier.Tests.Configs;

namespace Espalier.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, int, int, bool, bool> Folders()
    {
        var folders = new TheoryData<string, int, int, bool, bool>();
        foreach (string type in (string[])["F32", "F16", "BF16"])
        {
            foreach (bool newLayout in (bool[])[false, true])
            {
                folders.Add(type, 1, 0, newLayout, false);
                folders.Add(type, 3, 0, newLayout, true);

                // The data then starts at every remainder of 4 somewhere.
                folders.Add(type, 1, 1, newLayout, false);
                folders.Add(type, 4, 3, newLayout, false);
            }
        }

        return folders;
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void EveryTensorIsFoundByItsCanonicalNameWithItsValues(string type, int shards, int padding, bool newLayout, bool tied)
    {
        SmallModel.Layout layout = newLayout ? SmallModel.Layout.New : SmallModel.Layout.Old;
        SmallModel.Write(_folder, SmallModel.Tensors(layout, tied), type, shards, padding);
        using var checkpoint = Checkpoint.Open(_folder.Path);

        Assert.Equal(ModelGeometryReader.Read(ConfigCorpus.Small).Geometry, checkpoint.Geometry);
        Assert.Equal(tied ? "language_model.embed_tokens.weight" : "lm_head.weight", checkpoint.HeadTensorName);
        int named = 0;
        foreach (((string stored, long[] shape), (string old, _)) in SmallModel.Tensors(layout, tied).Zip(SmallModel.Tensors(SmallModel.Layout.Old, tied)))
        {
            if (old.EndsWith("position_ids", StringComparison.Ordinal) || old.EndsWith("inv_freq", StringComparison.Ordinal))
            {
                continue;
            }

            named++;
            string canonical = old.Replace("language_model.model.", "language_model.", StringComparison.Ordinal)
                .Replace("language_model.lm_head", "lm_head", StringComparison.Ordinal)
                .Replace("vision_tower.vision_model.", "vision_tower.", StringComparison.Ordinal);
            CheckpointTensor tensor = checkpoint.GetTensor(canonical, shape);
            Assert.Equal(canonical, tensor.Name);
            Assert.Equal(type, tensor.Type.ToString());
            Assert.Equal(tensor.ByteLength, tensor.Elements * (type == "F32" ? 4 : 2));
            Assert.Equal(tensor.Data % (type == "F32" ? 4 : 2) == 0, tensor.IsAligned);

            float[] expected = SmallModel.Values(stored, shape);
            float[] found = new float[expected.Length];
            tensor.ReadFloats(0, found);
            Assert.Equal(expected, found);
            float[] part = new float[expected.Length / 3];
            tensor.ReadFloats(7, part);
            Assert.Equal(expected.AsSpan(7, part.Length).ToArray(), part);
        }

        Assert.Equal(named, checkpoint.TensorNames.Count());
    }

    [Fact]
    public void BothSixteenBitTypesConvertAllTheirValues()
    {
        ushort[] bits = Enumerable.Range(0, 65536).Select(i => (ushort)i).ToArray();
        byte[] bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<ushort>(bits).ToArray();
        foreach (int padding in (int[])[0, 1])
        {
            var writer = new SafetensorsWriter { Padding = padding };
            foreach ((string name, long[] shape) in SmallModel.Tensors())
            {
                writer.Add(name, "F32", shape, SmallModel.Values(name, shape));
            }

            File.WriteAllText(_folder["config.json"], ConfigCorpus.Small);
            File.WriteAllBytes(_folder["model.safetensors"], writer.Add("half", "F16", [256, 256], bytes).Add("brain", "BF16", [65536], bytes).ToArray());
            using var checkpoint = Checkpoint.Open(_folder.Path);
            float[] half = new float[65536];
            float[] brain = new float[65536];
            checkpoint.GetTensor("half", [256, 256]).ReadFloats(0, half);
            checkpoint.GetTensor("brain", [65536]).ReadFloats(0, brain);
            for (int i = 0; i < bits.Length; i++)
            {
                Assert.Equal((float)BitConverter.UInt16BitsToHalf(bits[i]), half[i]);
                Assert.Equal(BitConverter.UInt32BitsToSingle((uint)bits[i] << 16), brain[i]);
            }
        }
    }

    [Fact]
    public void ReadingFloatsAllocatesNothing()
    {
        SmallModel.Write(_folder, SmallModel.Tensors(), "F16", padding: 1);
        using var checkpoint = Checkpoint.Open(_folder.Path);
        CheckpointTensor tensor = checkpoint.GetTensor("lm_head.weight", [96, 64]);
        float[] row = new float[64];
        int next = 0;
        Allocation.AssertNone(() => tensor.ReadFloats(next++ * 64, row), times: 95);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(6144, 1)]
    [InlineData(6143, 2)]
    [InlineData(long.MaxValue, 1)]
    [InlineData(0, 6145)]
    public void ReadingOutsideOfATensorIsRefused(long first, int count)
    {
        SmallModel.Write(_folder, SmallModel.Tensors());
        using var checkpoint = Checkpoint.Open(_folder.Path);
        CheckpointTensor tensor = checkpoint.GetTensor("lm_head.weight", [96, 64]);
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.ReadFloats(first, new float[count]));
    }

    [Fact]
    public void TensorsOfOtherTypesAreListedButNotRead()
    {
        var writer = new SafetensorsWriter();
        foreach ((string name, long[] shape) in SmallModel.Tensors())
        {
            writer.Add(name, "F32", shape, SmallModel.Values(name, shape));
        }

        writer.Add("extra.count", "I64", [], new byte[8]).Add("extra.packed", "F4", [3, 2], new byte[3]).Add("extra.empty", "U8", [0, 7], Array.Empty<byte>());
        File.WriteAllText(_folder["config.json"], ConfigCorpus.Small);
        File.WriteAllBytes(_folder["model.safetensors"], writer.ToArray());
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.True(checkpoint.TryGetTensor("extra.count", out CheckpointTensor count));
        Assert.Equal((TensorType.I64, 1L, 8L, 0), (count.Type, count.Elements, count.ByteLength, count.Shape.Length));
        Assert.True(checkpoint.TryGetTensor("extra.empty", out CheckpointTensor empty));
        Assert.Equal((0L, 0L), (empty.Elements, empty.ByteLength));
        Assert.True(checkpoint.TryGetTensor("extra.packed", out CheckpointTensor packed));
        Assert.Equal((6L, 3L), (packed.Elements, packed.ByteLength));
        var refusal = Assert.Throws<TensorTypeException>(() => count.ReadFloats(0, new float[1]));
        Assert.Equal((TensorType.I64, "extra.count"), (refusal.Type, refusal.Tensor));
        Assert.Throws<TensorTypeException>(() => checkpoint.GetTensor("extra.packed", [3, 2]));
        Assert.False(checkpoint.TryGetTensor("extra.none", out _));
    }

    [Fact]
    public void ASingleFileGoesBeforeAnIndex()
    {
        // Both are whole checkpoints; the type of the weights tells which was read.
        SmallModel.Write(_folder, SmallModel.Tensors(), "F16", shards: 2);
        SmallModel.Write(_folder, SmallModel.Tensors(), "F32");
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(TensorType.F32, checkpoint.GetTensor("lm_head.weight", [96, 64]).Type);
    }

    /// <summary>The Hub's cache is folders of links into a store.</summary>
    [Fact]
    public void LinkedFilesAreFollowed()
    {
        using var store = new TemporaryFolder();
        SmallModel.Write(store, SmallModel.Tensors());
        File.CreateSymbolicLink(_folder["config.json"], store["config.json"]);
        File.CreateSymbolicLink(_folder["model.safetensors"], store["model.safetensors"]);
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(_folder.Path, checkpoint.Folder);
    }

    [Theory]
    [InlineData("""{"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 32001}""", "2", 1, null, null, null)]
    [InlineData("""{"eos_token_id": [151645, 151643], "temperature": 0.7, "top_p": 0.8, "max_new_tokens": 64}""", "151645,151643", 1, 0.7f, 0.8f, 64)]
    [InlineData("""{"temperature": 0, "do_sample": false}""", "2", 1, null, null, null)]
    [InlineData("{}", "2", 1, null, null, null)]
    [InlineData(null, "2", 1, null, null, null)]
    public void GenerationDefaultsComeFromTheirFile(string? json, string eos, int? bos, float? temperature, float? topP, int? tokens)
    {
        SmallModel.Write(_folder, SmallModel.Tensors());
        if (json is not null)
        {
            File.WriteAllText(_folder["generation_config.json"], json);
        }

        using var checkpoint = Checkpoint.Open(_folder.Path);
        GenerationDefaults defaults = checkpoint.GenerationDefaults;
        Assert.Equal(eos, string.Join(',', defaults.EosTokenIds));
        Assert.Equal((bos, temperature, topP, tokens), (defaults.BosTokenId, defaults.Temperature, defaults.TopP, defaults.MaxNewTokens));
        Assert.False(defaults.Sample);
    }

    [Fact]
    public void WithoutAGenerationConfigTheIdsOfTheDecoderCount()
    {
        string config = ConfigCorpus.Small.Replace("\"vocab_size\": 96", "\"vocab_size\": 96, \"eos_token_id\": [5, 6], \"bos_token_id\": 4", StringComparison.Ordinal);
        SmallModel.Write(_folder, SmallModel.Tensors(), config: config);
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal([5, 6], checkpoint.GenerationDefaults.EosTokenIds);
        Assert.Equal(4, checkpoint.GenerationDefaults.BosTokenId);
    }

    [Fact]
    public void AnotherGeometryIsRefusedByTheNamesOfItsFields()
    {
        SmallModel.Write(_folder, SmallModel.Tensors());
        using var checkpoint = Checkpoint.Open(_folder.Path);
        ModelGeometry geometry = checkpoint.Geometry;
        checkpoint.RequireGeometry(geometry with { Text = geometry.Text with { TiedHead = true } });

        ModelGeometry other = geometry with { ImageTokenId = 8, Text = geometry.Text with { Layers = 24, RopeTheta = 1e6f }, Vision = geometry.Vision with { KeepsCls = true } };
        var mismatch = Assert.Throws<GeometryMismatchException>(() => checkpoint.RequireGeometry(other));
        Assert.Equal(4, mismatch.Fields.Count);
        Assert.Contains("text_config.num_hidden_layers: compiled 24, checkpoint 2", mismatch.Message, StringComparison.Ordinal);
        Assert.Contains("image_token_index: compiled 8, checkpoint 7", mismatch.Message, StringComparison.Ordinal);
        Assert.Contains("config.json", mismatch.File, StringComparison.Ordinal);
    }

    /// <summary>A field that is added to the geometry must be added to the comparison.</summary>
    [Fact]
    public void EveryFieldOfTheGeometryIsCompared()
    {
        SmallModel.Write(_folder, SmallModel.Tensors());
        using var checkpoint = Checkpoint.Open(_folder.Path);
        ModelGeometry geometry = checkpoint.Geometry;
        foreach (System.Reflection.PropertyInfo field in typeof(ModelGeometry).GetProperties().Where(field => field.CanWrite))
        {
            object? value = field.GetValue(geometry);
            if (value is VisionGeometry vision)
            {
                AssertAllCompared(vision, changed => geometry with { Vision = changed });
            }
            else if (value is TextGeometry text)
            {
                AssertAllCompared(text, changed => geometry with { Text = changed });
            }
            else
            {
                AssertCompared(field, geometry with { }, changed => changed);
            }
        }

        void AssertAllCompared<T>(T part, Func<T, ModelGeometry> place)
            where T : class
        {
            foreach (System.Reflection.PropertyInfo field in typeof(T).GetProperties().Where(field => field.CanWrite && field.Name != nameof(TextGeometry.TiedHead)))
            {
                // A record's clone, without knowing which record it is.
                T copy = (T)typeof(T).GetMethod("<Clone>$")!.Invoke(part, null)!;
                AssertCompared(field, copy, place);
            }
        }

        void AssertCompared<T>(System.Reflection.PropertyInfo field, T copy, Func<T, ModelGeometry> place)
        {
            object other = field.GetValue(copy) switch
            {
                int number => number + 1,
                float number => number * 2,
                bool flag => !flag,
                string text => text + "x",
                Enum value => Enum.ToObject(value.GetType(), Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture) + 1),
                object value => throw new InvalidOperationException(value.GetType().Name),
                null => throw new InvalidOperationException(field.Name),
            };
            field.SetValue(copy, other);
            var mismatch = Assert.Throws<GeometryMismatchException>(() => checkpoint.RequireGeometry(place(copy)));
            Assert.Single(mismatch.Fields);
        }
    }
}

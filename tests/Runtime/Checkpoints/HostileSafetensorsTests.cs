using System.Buffers.Binary;
using Espalier.Tests.Configs;

namespace Espalier.Tests.Checkpoints;

/// <summary>One damaged weights file a rule; each must end in the exception of its rule, with the path of the file in it.</summary>
public sealed class HostileSafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static byte[] Header(string header, int dataLength = 0) => SafetensorsWriter.File(header, new byte[dataLength]);

    private static byte[] Announcing(ulong length, int rest)
    {
        byte[] file = new byte[8 + rest];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        return file;
    }

    /// <summary>Two tensors of four bytes each, the entry of the second being given.</summary>
    private static byte[] Second(string entry, int dataLength = 8)
        => Header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}," + entry + "}", dataLength);

    public static TheoryData<string, Type, byte[]> Files()
    {
        var files = new TheoryData<string, Type, byte[]>();
        void Add<T>(string name, byte[] file)
            where T : CheckpointException => files.Add(name, typeof(T), file);

        Add<CheckpointFileUnreadableException>("empty file", []);
        Add<TruncatedSafetensorsException>("seven bytes", new byte[7]);
        Add<TruncatedSafetensorsException>("header longer than the file", Announcing(100, 99));
        Add<TruncatedSafetensorsException>("longest allowed header in a small file", Announcing(100_000_000, 10));
        Add<HeaderTooLongException>("header of 100 MB and a byte", Announcing(100_000_001, 10));
        Add<HeaderTooLongException>("header length that is negative as a signed number", Announcing(ulong.MaxValue, 10));
        Add<MalformedHeaderException>("header of no bytes", Announcing(0, 0));
        Add<MalformedHeaderException>("zeros", Announcing(16, 16));
        Add<MalformedHeaderException>("space before the brace", Header(" {}"));
        Add<MalformedHeaderException>("array", Header("[]"));
        Add<MalformedHeaderException>("unclosed", Header("{\"a\":{"));
        Add<MalformedHeaderException>("text behind the end", Header("{}x"));
        Add<MalformedHeaderException>("two objects", Header("{}{}"));
        Add<MalformedHeaderException>("comment", Header("{/* */}"));
        Add<MalformedHeaderException>("trailing comma", Header("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},}"));
        Add<MalformedHeaderException>("zero bytes as padding", Header("{}\0\0\0"));
        Add<MalformedHeaderException>("name that is not UTF-8", SafetensorsWriter.File([.. "{\""u8, 0xff, .. "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"u8], []));
        Add<MalformedHeaderException>("half a surrogate pair as a name", Header("{\"\\ud800\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}"));
        Add<MalformedHeaderException>("deep nesting", Header("{\"a\":{\"shape\":[" + new string('[', 100_000) + "]}}"));
        Add<MalformedHeaderException>("entry is a number", Header("{\"a\":1}"));
        Add<MalformedHeaderException>("entry is null", Header("{\"a\":null}"));
        Add<MalformedHeaderException>("no dtype", Header("{\"a\":{\"shape\":[0],\"data_offsets\":[0,0]}}"));
        Add<MalformedHeaderException>("no shape", Header("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}"));
        Add<MalformedHeaderException>("no offsets", Header("{\"a\":{\"dtype\":\"F32\",\"shape\":[0]}}"));
        Add<MalformedHeaderException>("dtype is a number", Header("{\"a\":{\"dtype\":32,\"shape\":[0],\"data_offsets\":[0,0]}}"));
        Add<MalformedHeaderException>("unknown field", Header("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"strides\":[1]}}"));
        Add<MalformedHeaderException>("field twice", Header("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[0],\"data_offsets\":[0,0]}}"));
        Add<HeaderMetadataException>("metadata is a list", Header("{\"__metadata__\":[]}"));
        Add<HeaderMetadataException>("metadata holds a number", Header("{\"__metadata__\":{\"format\":1}}"));
        Add<HeaderMetadataException>("metadata holds an object", Header("{\"__metadata__\":{\"format\":{}}}"));
        Add<HeaderMetadataException>("metadata name twice", Header("{\"__metadata__\":{\"a\":\"\",\"\\u0061\":\"\"}}"));
        Add<DuplicateTensorException>("name twice", Second("\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}"));
        Add<DuplicateTensorException>("name twice by escape", Second("\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}"));
        Add<DuplicateTensorException>("metadata twice", Header("{\"__metadata__\":{},\"__metadata__\":{}}"));
        Add<UnknownTensorTypeException>("unknown type", Second("\"b\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[4,8]}"));
        Add<UnknownTensorTypeException>("type in lower case", Second("\"b\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[4,8]}"));
        Add<InvalidTensorShapeException>("negative dimension", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[4,8]}"));
        Add<InvalidTensorShapeException>("two negative dimensions", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[-1,-1],\"data_offsets\":[4,8]}"));
        Add<InvalidTensorShapeException>("product wraps to 1", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[4294967297,4294967295,1],\"data_offsets\":[4,8]}"));
        Add<InvalidTensorShapeException>("product overflows beside a zero", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807,3],\"data_offsets\":[4,4]}", 4));
        Add<InvalidTensorShapeException>("bits overflow", Second("\"b\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904],\"data_offsets\":[4,8]}"));
        Add<InvalidTensorShapeException>("dimension beyond 64 bits", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[18446744073709551617],\"data_offsets\":[4,8]}"));
        Add<InvalidTensorShapeException>("fraction of a dimension", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[4,8]}"));
        Add<InvalidTensorShapeException>("dimension in quotes", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[4,8]}"));
        Add<InvalidTensorShapeException>("nine dimensions", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[4,8]}"));
        Add<InvalidTensorShapeException>("shape is a number", Second("\"b\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[4,8]}"));
        Add<TensorOffsetsException>("one offset", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4]}"));
        Add<TensorOffsetsException>("three offsets", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8,12]}"));
        Add<TensorOffsetsException>("offsets are an object", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{}}"));
        Add<TensorOffsetsException>("negative offset", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}"));
        Add<TensorOffsetsException>("backwards", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}"));
        Add<TensorOffsetsException>("beyond the file", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}"));
        Add<TensorOffsetsException>("far beyond the file", Second("\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9223372036854775806,9223372036854775807]}"));
        Add<TensorSizeException>("too few bytes", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,8]}"));
        Add<TensorSizeException>("too many bytes", Second("\"b\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[4,8]}"));
        Add<TensorSizeException>("half a byte", Second("\"b\":{\"dtype\":\"F4\",\"shape\":[7],\"data_offsets\":[4,8]}"));
        Add<TensorSizeException>("half a byte left out", Second("\"b\":{\"dtype\":\"F4\",\"shape\":[7],\"data_offsets\":[4,7]}", 7));
        Add<OverlappingTensorsException>("same bytes", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}", 4));
        Add<OverlappingTensorsException>("overlap of two bytes", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}", 6));
        Add<UncoveredDataException>("hole between tensors", Second("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[6,10]}", 10));
        Add<UncoveredDataException>("hole before the first", Header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8));
        Add<UncoveredDataException>("bytes behind the last", Header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5));
        Add<UncoveredDataException>("data without tensors", Header("{}", 1));
        Add<MissingTensorException>("no tensors", Header("{}"));
        return files;
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EachRuleHasItsException(string name, Type rule, byte[] file)
    {
        File.WriteAllText(_folder["config.json"], ConfigCorpus.Small);
        File.WriteAllBytes(_folder["model.safetensors"], file);
        Exception? thrown = Record.Exception(() => Checkpoint.Open(_folder.Path));
        Assert.True(thrown?.GetType() == rule, name + ": " + thrown);
        var refusal = (CheckpointException)thrown!;
        Assert.StartsWith(_folder.Path, refusal.File, StringComparison.Ordinal);
        Assert.StartsWith(refusal.File + ": ", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(refusal.Message.Length - refusal.File.Length, 20, 500);
    }

    [Fact]
    public void EmptyTensorsMayStandAnywhere()
    {
        var writer = new SafetensorsWriter();
        writer.Add("first", "F32", [0], Array.Empty<byte>());
        foreach ((string name, long[] shape) in SmallModel.Tensors())
        {
            writer.Add(name, "F32", shape, SmallModel.Values(name, shape)).Add(name + ".empty", "F16", [0, 5], Array.Empty<byte>());
        }

        File.WriteAllText(_folder["config.json"], ConfigCorpus.Small);
        File.WriteAllBytes(_folder["model.safetensors"], writer.ToArray());
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.True(checkpoint.TryGetTensor("first", out _));
    }

    [Fact]
    public void AMissingTensorIsNamed()
    {
        SmallModel.Write(_folder, SmallModel.Tensors().Where(tensor => !tensor.Name.Contains("k_proj", StringComparison.Ordinal)));
        var missing = Assert.Throws<MissingTensorException>(() => Checkpoint.Open(_folder.Path));
        Assert.Equal(6, missing.Names.Count);
        Assert.Contains("language_model.layers.1.self_attn.k_proj.weight", missing.Names);
        Assert.Contains("lacks 6 tensors that config.json asks for: vision_tower.encoder.layers.0.self_attn.k_proj.weight, ", missing.Message, StringComparison.Ordinal);
    }

    /// <summary>Every required tensor is asked for: leaving out any one of them is noticed.</summary>
    [Fact]
    public void EveryTensorOfTheModelIsRequired()
    {
        var all = SmallModel.Tensors().ToList();
        int required = 0;
        foreach ((string Name, long[] Shape) left in all)
        {
            SmallModel.Write(_folder, all.Where(tensor => tensor != left));
            bool free = left.Name.EndsWith("position_ids", StringComparison.Ordinal) || left.Name.EndsWith("inv_freq", StringComparison.Ordinal) || left.Name.EndsWith("lm_head.weight", StringComparison.Ordinal);
            if (free)
            {
                Checkpoint.Open(_folder.Path).Dispose();
            }
            else
            {
                required++;
                Assert.Single(Assert.Throws<MissingTensorException>(() => Checkpoint.Open(_folder.Path)).Names);
            }
        }

        Assert.Equal(all.Count - 4, required);
    }

    /// <summary>Every shape is checked: a last dimension that is one larger is noticed for any tensor.</summary>
    [Fact]
    public void EveryTensorOfTheModelMustHaveItsShape()
    {
        var all = SmallModel.Tensors().ToList();
        for (int i = 0; i < all.Count; i++)
        {
            (string name, long[] shape) = all[i];
            if (name.EndsWith("position_ids", StringComparison.Ordinal) || name.EndsWith("inv_freq", StringComparison.Ordinal))
            {
                continue;
            }

            List<(string Name, long[] Shape)> wrong = [.. all];
            wrong[i] = (name, [.. shape[..^1], shape[^1] + 1]);
            SmallModel.Write(_folder, wrong);
            var refusal = Assert.Throws<TensorShapeException>(() => Checkpoint.Open(_folder.Path));
            Assert.Equal(shape, refusal.Expected);
            Assert.Equal(wrong[i].Shape, refusal.Found);
            Assert.Contains(refusal.Tensor, refusal.Message, StringComparison.Ordinal);
            Assert.EndsWith("model.safetensors", refusal.File, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AQuantisedWeightIsRefused()
    {
        var writer = new SafetensorsWriter();
        foreach ((string name, long[] shape) in SmallModel.Tensors())
        {
            bool integer = name.EndsWith("layers.1.mlp.up_proj.weight", StringComparison.Ordinal);
            writer.Add(name, integer ? "I8" : "F32", shape, integer ? new byte[128 * 64] : SafetensorsWriter.Encode("F32", SmallModel.Values(name, shape)));
        }

        File.WriteAllText(_folder["config.json"], ConfigCorpus.Small);
        File.WriteAllBytes(_folder["model.safetensors"], writer.ToArray());
        var refusal = Assert.Throws<TensorTypeException>(() => Checkpoint.Open(_folder.Path));
        Assert.Equal(("language_model.layers.1.mlp.up_proj.weight", TensorType.I8), (refusal.Tensor, refusal.Type));
    }

    [Theory]
    [InlineData("lm_head.weight", "lm_head.weight")]
    [InlineData("model.language_model.norm.weight", "language_model.norm.weight")]
    [InlineData("language_model.norm.weight", "language_model.norm.weight")]
    [InlineData("vision_tower.pre_layrnorm.bias", "vision_tower.pre_layrnorm.bias")]
    [InlineData("model.vision_tower.vision_model.pre_layrnorm.bias", "vision_tower.pre_layrnorm.bias")]
    public void TwoSpellingsOfOneTensorAreRefused(string second, string canonical)
    {
        SmallModel.Write(_folder, SmallModel.Tensors().Append((second, [3])));
        var refusal = Assert.Throws<AmbiguousTensorException>(() => Checkpoint.Open(_folder.Path));
        Assert.Equal(canonical, refusal.Tensor);
        Assert.Contains(second, refusal.Message, StringComparison.Ordinal);
    }
}

using System.Runtime.InteropServices;
using System.Text;
using Espalier.Planning;
using Espalier.Tests.Configs;

namespace Espalier.Tests.Checkpoints;

/// <summary>Damaged configs, indices and folders.</summary>
public sealed class HostileFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(ConfigCorpus.Rejected), MemberType = typeof(ConfigCorpus))]
    public void EachBrokenConfigHasTheExceptionOfItsRule(string name, string json, GeometryRule rule, string path, string? value)
    {
        SmallModel.Write(_folder, SmallModel.Tensors(), config: json);
        Exception thrown = Record.Exception(() => Checkpoint.Open(_folder.Path))!;
        if (json.Length == 0)
        {
            Assert.IsType<CheckpointFileUnreadableException>(thrown);
            return;
        }

        Assert.Equal(
            rule switch
            {
                GeometryRule.MalformedJson => typeof(MalformedConfigException),
                GeometryRule.DuplicateField => typeof(DuplicateConfigFieldException),
                GeometryRule.MissingField => typeof(MissingConfigFieldException),
                GeometryRule.WrongType => typeof(ConfigFieldTypeException),
                GeometryRule.OutOfRange => typeof(ConfigFieldRangeException),
                GeometryRule.Inconsistent => typeof(InconsistentConfigException),
                GeometryRule.UnknownFamily => typeof(UnknownFamilyException),
                _ => typeof(UnsupportedConfigException),
            },
            thrown.GetType());
        GeometryProblem problem = ((ConfigException)thrown).Problem;
        Assert.True((path, value) == (problem.Path, problem.Value), name);
        Assert.Equal(_folder["config.json"], ((ConfigException)thrown).File);
    }

    [Fact]
    public void AConfigThatIsNotUtf8IsRefused()
    {
        SmallModel.Write(_folder, SmallModel.Tensors());
        File.WriteAllBytes(_folder["config.json"], [.. Encoding.ASCII.GetBytes("{\"model_type\": \""), 0xc3, 0x28, .. Encoding.ASCII.GetBytes("\"}")]);
        Assert.Throws<MalformedConfigException>(() => Checkpoint.Open(_folder.Path));
        File.WriteAllText(_folder["config.json"], ConfigCorpus.Small, Encoding.Unicode);
        Assert.Throws<MalformedConfigException>(() => Checkpoint.Open(_folder.Path));
    }

    [Fact]
    public void AHugeConfigIsRefusedUnread()
    {
        SmallModel.Write(_folder, SmallModel.Tensors());
        using (FileStream file = File.OpenWrite(_folder["config.json"]))
        {
            file.SetLength(1L << 40);
        }

        Assert.Throws<CheckpointFileUnreadableException>(() => Checkpoint.Open(_folder.Path));
    }

    [Theory]
    [InlineData("""{"eos_token_id": "2"}""", typeof(ConfigFieldTypeException), "eos_token_id")]
    [InlineData("""{"eos_token_id": [2, "3"]}""", typeof(ConfigFieldTypeException), "eos_token_id")]
    [InlineData("""{"eos_token_id": [2, -3]}""", typeof(ConfigFieldTypeException), "eos_token_id")]
    [InlineData("""{"bos_token_id": -1}""", typeof(ConfigFieldRangeException), "bos_token_id")]
    [InlineData("""{"temperature": -0.5}""", typeof(ConfigFieldRangeException), "temperature")]
    [InlineData("""{"temperature": "hot"}""", typeof(ConfigFieldTypeException), "temperature")]
    [InlineData("""{"top_p": 1.5}""", typeof(ConfigFieldRangeException), "top_p")]
    [InlineData("""{"top_k": 1.5}""", typeof(ConfigFieldTypeException), "top_k")]
    [InlineData("""{"max_new_tokens": 0}""", typeof(ConfigFieldRangeException), "max_new_tokens")]
    [InlineData("""{"do_sample": "yes"}""", typeof(ConfigFieldTypeException), "do_sample")]
    [InlineData("""{"top_p": 1, "top_p": 0.5}""", typeof(DuplicateConfigFieldException), "top_p")]
    [InlineData("[]", typeof(MalformedConfigException), "")]
    public void ABrokenGenerationConfigIsRefused(string json, Type rule, string path)
    {
        SmallModel.Write(_folder, SmallModel.Tensors());
        File.WriteAllText(_folder["generation_config.json"], json);
        var thrown = (ConfigException)Record.Exception(() => Checkpoint.Open(_folder.Path))!;
        Assert.Equal((rule, path, _folder["generation_config.json"]), (thrown.GetType(), thrown.Problem.Path, thrown.File));
    }

    [Theory]
    [InlineData("", typeof(CheckpointFileUnreadableException))]
    [InlineData("{", typeof(MalformedShardIndexException))]
    [InlineData("[]", typeof(MalformedShardIndexException))]
    [InlineData("{}", typeof(MalformedShardIndexException))]
    [InlineData("""{"weight_map": []}""", typeof(MalformedShardIndexException))]
    [InlineData("""{"weight_map": {"a": 1}}""", typeof(MalformedShardIndexException))]
    [InlineData("""{"weight_map": {"a": null}}""", typeof(MalformedShardIndexException))]
    [InlineData("""{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}""", typeof(MalformedShardIndexException))]
    [InlineData("""{"weight_map": {"a": "../model.safetensors"}}""", typeof(ShardPathException))]
    [InlineData("""{"weight_map": {"a": "..\\model.safetensors"}}""", typeof(ShardPathException))]
    [InlineData("""{"weight_map": {"a": "/etc/model.safetensors"}}""", typeof(ShardPathException))]
    [InlineData("""{"weight_map": {"a": "C:model.safetensors"}}""", typeof(ShardPathException))]
    [InlineData("""{"weight_map": {"a": "sub/model.safetensors"}}""", typeof(ShardPathException))]
    [InlineData("""{"weight_map": {"a": "model.safetensors\u0000"}}""", typeof(ShardPathException))]
    [InlineData("""{"weight_map": {"a": ".safetensors"}}""", typeof(ShardPathException))]
    [InlineData("""{"weight_map": {"a": "pytorch_model.bin"}}""", typeof(ShardPathException))]
    [InlineData("""{"weight_map": {"a": ""}}""", typeof(ShardPathException))]
    [InlineData("""{"weight_map": {"a": "none.safetensors"}}""", typeof(CheckpointFileMissingException))]
    [InlineData("""{"weight_map": {}}""", typeof(MissingTensorException))]
    public void EachBrokenIndexHasTheExceptionOfItsRule(string json, Type rule)
    {
        File.WriteAllText(_folder["config.json"], ConfigCorpus.Small);
        File.WriteAllText(_folder["model.safetensors.index.json"], json);
        Exception? thrown = Record.Exception(() => Checkpoint.Open(_folder.Path));
        Assert.True(thrown?.GetType() == rule, thrown?.ToString());
        Assert.StartsWith(_folder.Path, ((CheckpointException)thrown!).File, StringComparison.Ordinal);
    }

    [Fact]
    public void AnIndexOfAnotherVersionOfTheShardsIsRefused()
    {
        SmallModel.Write(_folder, SmallModel.Tensors(), shards: 2);
        string index = File.ReadAllText(_folder["model.safetensors.index.json"]);
        int place = index.IndexOf("00001-of", StringComparison.Ordinal);
        File.WriteAllText(_folder["model.safetensors.index.json"], index[..place] + "00002-of" + index[(place + 8)..]);
        var thrown = Assert.Throws<ShardContentException>(() => Checkpoint.Open(_folder.Path));
        Assert.Contains("vision_tower.vision_model.embeddings.class_embedding", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATensorInTwoShardsIsRefused()
    {
        SmallModel.Write(_folder, SmallModel.Tensors(), shards: 2);
        (string Name, long[] Shape) first = SmallModel.Tensors().First();
        File.WriteAllBytes(_folder["model-00002-of-00002.safetensors"], SmallModel.Pack(SmallModel.Tensors().Where((_, i) => i % 2 == 1).Append(first)));
        Assert.Throws<DuplicateTensorException>(() => Checkpoint.Open(_folder.Path));
    }

    [Fact]
    public void MissingFilesAreNamed()
    {
        var folder = Assert.Throws<CheckpointFileMissingException>(() => Checkpoint.Open(_folder["none"]));
        Assert.Equal(_folder["none"], folder.File);
        var config = Assert.Throws<CheckpointFileMissingException>(() => Checkpoint.Open(_folder.Path));
        Assert.Equal(_folder["config.json"], config.File);
        File.WriteAllText(_folder["config.json"], ConfigCorpus.Small);
        File.WriteAllText(_folder["pytorch_model.bin"], "");
        var weights = Assert.Throws<CheckpointFileMissingException>(() => Checkpoint.Open(_folder.Path));
        Assert.Contains("model.safetensors.index.json", weights.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Checkpoint.Open(""));
        Assert.Throws<ArgumentNullException>(() => Checkpoint.Open(null!));
    }

    [Fact]
    public void FoldersInPlaceOfFilesAreRefused()
    {
        Directory.CreateDirectory(_folder["config.json"]);
        Assert.Throws<CheckpointFileUnreadableException>(() => Checkpoint.Open(_folder.Path));
    }

    /// <summary>Opening a pipe would wait for a writer without end.</summary>
    [PosixFact]
    public async Task APipeInPlaceOfAFileIsRefused()
    {
        File.WriteAllText(_folder["config.json"], ConfigCorpus.Small);
        Assert.Equal(0, MakePipe(_folder["model.safetensors"], 384));
        Task<Checkpoint> open = Task.Run(() => Checkpoint.Open(_folder.Path));
        Assert.Same(open, await Task.WhenAny(open, Task.Delay(TimeSpan.FromSeconds(20))));
        await Assert.ThrowsAsync<CheckpointFileUnreadableException>(() => open);
    }

    [DllImport("libc", EntryPoint = "mkfifo", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int MakePipe(string path, uint mode);
}

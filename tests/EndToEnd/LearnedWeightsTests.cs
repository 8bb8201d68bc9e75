using System.Text.Json.Nodes;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Learned weights come from the checkpoint or a file beside it; what does not fit is said by name, with the file and what to do.</summary>
public sealed class LearnedWeightsTests : IDisposable
{
    private const string Registers = "victor.registers";
    private readonly string _folder = Directory.CreateTempSubdirectory("espalier-").FullName;

    public LearnedWeightsTests()
    {
        foreach (string file in Directory.GetFiles(Goldens.Of("clip-llama").CheckpointFolder))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }
    }

    private string Learned => Path.Combine(_folder, "victor-4.safetensors");

    private string Gates => Path.Combine(_folder, "dyvte.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void RegistersMayBePartOfTheCheckpoint()
    {
        List<float[]> beside = Answer();

        // The checkpoint with all tensors of the file in it is another model without the file.
        Tensors.Move(Learned, Path.Combine(_folder, "model.safetensors"));
        List<float[]> inside = Answer();
        for (int step = 0; step < beside.Count; step++)
        {
            Assert.Equal(beside[step], inside[step]);
        }
    }

    [Fact]
    public void AVariantWithoutRegistersReadsTheCheckpointAlone()
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        float[] alone = Logits(ClipLlamaDense.Load(checkpoint));
        using VisionLanguageModel victor = ClipLlamaVictor.Load(checkpoint);
        Assert.NotEqual(alone, Logits(ClipLlamaVictor.Load(checkpoint)));
        Assert.Equal(alone, Logits(ClipLlamaDense.Load(checkpoint)));
    }

    [Fact]
    public void AMissingFileIsNamedWithTheTensorAndTheOthers()
    {
        File.Move(Learned, Path.Combine(_folder, "victor-9.safetensors"));
        LearnedWeightsMissingException error = Assert.Throws<LearnedWeightsMissingException>(() => Load());
        Assert.Equal(Learned, error.File);
        Assert.Equal("Victor(M = 4, K = 2)", error.Declaration);
        Assert.Contains("victor.registers [4, 32]", error.Message, StringComparison.Ordinal);
        Assert.Contains("but there are victor-9.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RegistersOfAnotherCountAreRefused()
    {
        Tensors tensors = Tensors.Read(Learned);
        tensors.Entry(Registers)["shape"] = new JsonArray(2, 64);
        tensors.Write(Learned);
        TensorShapeException error = Assert.Throws<TensorShapeException>(() => Load());
        Assert.Equal(Learned, error.File);
        Assert.Equal(Registers, error.Tensor);
        Assert.Equal([4, 32], error.Expected);
    }

    [Fact]
    public void AFileWithoutRegistersIsRefused()
    {
        Tensors tensors = Tensors.Read(Learned);
        tensors.Rename(Registers, "victor.register");
        tensors.Write(Learned);
        Assert.Equal([Registers], Assert.Throws<MissingTensorException>(() => Load()).Names);
    }

    [Fact]
    public void OnlyTensorsOfDecoderLayersAreReplaced()
    {
        Tensors tensors = Tensors.Read(Learned);
        tensors.Rename("language_model.model.layers.4.mlp.down_proj.weight", "language_model.model.norm.weight");
        tensors.Write(Learned);
        UnexpectedTensorException error = Assert.Throws<UnexpectedTensorException>(() => Load());
        Assert.Equal((Learned, "language_model.norm.weight"), (error.File, error.Tensor));
    }

    [Fact]
    public void AReplacedTensorHasTheShapeOfTheCheckpoints()
    {
        Tensors tensors = Tensors.Read(Learned);
        tensors.Rename("language_model.model.layers.4.mlp.down_proj.weight", "language_model.model.layers.4.mlp.up_proj.weight");
        tensors.Write(Learned);
        TensorShapeException error = Assert.Throws<TensorShapeException>(() => Load());
        Assert.Equal((Learned, "language_model.layers.4.mlp.up_proj.weight"), (error.File, error.Tensor));
    }

    [Theory]
    [InlineData("2", true)]
    [InlineData("3", false)]
    public void WeightsTrainedForAnotherKAreRefused(string trained, bool fits)
    {
        Tensors tensors = Tensors.Read(Learned);
        tensors.Metadata = new JsonObject { ["format"] = "pt", ["victor.k"] = trained };
        tensors.Write(Learned);
        if (fits)
        {
            Load();
            return;
        }

        LearnedWeightsMismatchException error = Assert.Throws<LearnedWeightsMismatchException>(() => Load());
        Assert.Contains("trained with K = 3, but 'Victor(M = 4, K = 2)' has 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedFileIsTheCheckpointsError()
    {
        File.WriteAllBytes(Learned, File.ReadAllBytes(Learned)[..500]);
        Assert.Equal(Learned, Assert.Throws<TruncatedSafetensorsException>(() => Load()).File);
    }

    [Fact]
    public void GatesMayBePartOfTheCheckpoint()
    {
        List<float[]> beside = Answer(static c => ClipLlamaDyVte.Load(c));
        string weights = Path.Combine(_folder, "model.safetensors");
        Tensors merged = Tensors.Read(weights);
        Tensors learned = Tensors.Read(Gates);
        foreach (string name in learned.Names)
        {
            merged.Set(name, learned.Entry(name), learned.Bytes(name));
        }

        merged.Write(weights);
        File.Delete(Gates);
        List<float[]> inside = Answer(static c => ClipLlamaDyVte.Load(c));
        for (int step = 0; step < beside.Count; step++)
        {
            Assert.Equal(beside[step], inside[step]);
        }
    }

    [Fact]
    public void MissingGatesAreNamed()
    {
        File.Delete(Gates);
        LearnedWeightsMissingException error = Assert.Throws<LearnedWeightsMissingException>(() => LoadGated());
        Assert.Equal((Gates, "DyVte"), (error.File, error.Declaration));
        Assert.Contains("model.visual_gates_router.0.w1.weight [any, 64]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AGateThatIsMissingIsNamed()
    {
        Tensors tensors = Tensors.Read(Gates);
        tensors.Remove("model.visual_gates_router.3.w2.weight");
        tensors.Write(Gates);
        Assert.Equal(["model.visual_gates_router.3.w2.weight"], Assert.Throws<MissingTensorException>(() => LoadGated()).Names);
    }

    [Fact]
    public void TheGateBehindTheLastLayerIsNotNeeded()
    {
        List<float[]> with = Answer(static c => ClipLlamaDyVte.Load(c));
        Tensors tensors = Tensors.Read(Gates);
        tensors.Remove("model.visual_gates_router.5.w1.weight");
        tensors.Remove("model.visual_gates_router.5.w2.weight");
        tensors.Write(Gates);
        Assert.Equal(with[0], Answer(static c => ClipLlamaDyVte.Load(c))[0]);
    }

    [Theory]
    [InlineData("model.visual_gates_router.2.w1.weight", 48, 32)]
    [InlineData("model.visual_gates_router.2.w2.weight", 4, 12)]
    public void AGateOfAnotherShapeIsRefused(string name, int rows, int columns)
    {
        Tensors tensors = Tensors.Read(Gates);
        tensors.Entry(name)["shape"] = new JsonArray(rows, columns);
        tensors.Write(Gates);
        TensorShapeException error = Assert.Throws<TensorShapeException>(() => LoadGated());
        Assert.Equal((Gates, name), (error.File, error.Tensor));
    }

    [Fact]
    public void AGateOfNoLayerIsRefused()
    {
        Tensors tensors = Tensors.Read(Gates);
        tensors.Rename("model.visual_gates_router.5.w1.weight", "model.visual_gates_router.6.w1.weight");
        tensors.Write(Gates);
        UnexpectedTensorException error = Assert.Throws<UnexpectedTensorException>(() => LoadGated());
        Assert.Equal((Gates, "model.visual_gates_router.6.w1.weight"), (error.File, error.Tensor));
    }

    private void LoadGated()
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        using VisionLanguageModel model = ClipLlamaDyVte.Load(checkpoint);
    }

    private void Load()
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        using VisionLanguageModel model = ClipLlamaVictor.Load(checkpoint);
    }

    private List<float[]> Answer(Func<Checkpoint, VisionLanguageModel>? load = null)
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        using var tiny = new TinyModel(_ => load is null ? ClipLlamaVictor.Load(checkpoint) : load(checkpoint));
        using Sequence sequence = tiny.CreateSequence();
        return tiny.Run(sequence, 3);
    }

    private static float[] Logits(VisionLanguageModel model)
    {
        using var tiny = new TinyModel(_ => model);
        using Sequence sequence = tiny.CreateSequence();
        return tiny.Run(sequence, 0)[0];
    }
}

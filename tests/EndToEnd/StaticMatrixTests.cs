using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>The static matrices of Prune and Merge: what they do to rows, and that a file which is no such thing is refused by name, with what to do.</summary>
public sealed class StaticMatrixTests : IDisposable
{
    private const string First = "prune_and_merge.layers.0.merge";
    private const string Second = "prune_and_merge.layers.1.merge";
    private readonly string _folder = Directory.CreateTempSubdirectory("espalier-").FullName;

    public StaticMatrixTests()
    {
        foreach (string file in Directory.GetFiles(Goldens.Of("clip-llama").CheckpointFolder))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }
    }

    private string Matrices => Path.Combine(_folder, "prune-and-merge-18.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AMatrixOfSinglePatchesOnlyBypassesTheOthers()
    {
        // Rows that are patches themselves: where the matrices change nothing, all tokens are there and the answer is a number, and it is another than the dense one since half of the patches see no layer.
        Write(First, static (row, column) => column == 2 * row ? 1 : 0);
        Write(Second, static (row, column) => column == 2 * row ? 1 : 0);
        float[] merged = Logits(static c => ClipLlamaPruneAndMerge.Load(c));
        Assert.All(merged, static logit => Assert.True(float.IsFinite(logit)));
        Assert.NotEqual(Logits(static c => ClipLlamaDense.Load(c)), merged);
    }

    [Fact]
    public void ALearnedRecoveryTakesThePlaceOfThePseudoInverse()
    {
        float[] inverse = Logits(static c => ClipLlamaPruneAndMerge.Load(c));
        Tensors tensors = Tensors.Read(Matrices);
        float[] merge = [.. MemoryMarshal.Cast<byte, float>(tensors.Bytes(Second))];
        float[] recover = PseudoInverse.Of(merge, 18)!;
        tensors.Set("prune_and_merge.layers.1.recover", new JsonObject { ["dtype"] = "F32", ["shape"] = new JsonArray(36, 18) }, MemoryMarshal.AsBytes(recover.AsSpan()).ToArray());
        tensors.Write(Matrices);
        Assert.Equal(inverse, Logits(static c => ClipLlamaPruneAndMerge.Load(c)));

        Array.Clear(recover);
        tensors.Set("prune_and_merge.layers.1.recover", new JsonObject { ["dtype"] = "F32", ["shape"] = new JsonArray(36, 18) }, MemoryMarshal.AsBytes(recover.AsSpan()).ToArray());
        tensors.Write(Matrices);
        Assert.NotEqual(inverse, Logits(static c => ClipLlamaPruneAndMerge.Load(c)));
    }

    /// <summary>What is made of the matrices is made once, whoever else loads a model of the checkpoint at the same time.</summary>
    [Fact]
    public async Task ModelsThatAreLoadedAtOnceShareWhatIsMadeOfTheMatrices()
    {
        float[] expected = Logits(static c => ClipLlamaPruneAndMerge.Load(c));
        for (int round = 0; round < 10; round++)
        {
            using Checkpoint checkpoint = Checkpoint.Open(_folder);
            using var start = new Barrier(4);
            VisionLanguageModel[] models = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    return (VisionLanguageModel)ClipLlamaPruneAndMerge.Load(checkpoint);
                },
                TaskCreationOptions.LongRunning)));
            foreach (VisionLanguageModel model in models)
            {
                using var tiny = new TinyModel(_ => model);
                using Sequence sequence = tiny.CreateSequence();
                Assert.Equal(expected, tiny.Run(sequence, 0)[0]);
            }
        }
    }

    [Fact]
    public void AMissingFileIsNamedWithTheTensorAndTheOthers()
    {
        File.Delete(Matrices);
        LearnedWeightsMissingException error = Assert.Throws<LearnedWeightsMissingException>(Load);
        Assert.Equal((Matrices, "PruneAndMerge(0, 1, Keep = 18)"), (error.File, error.Declaration));
        Assert.Contains("prune_and_merge.layers.0.merge [18, 36]", error.Message, StringComparison.Ordinal);
        Assert.Contains("but there are prune-and-merge-12.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMatrixThatIsMissingIsNamed()
    {
        Tensors tensors = Tensors.Read(Matrices);
        tensors.Remove(Second);
        tensors.Write(Matrices);
        Assert.Equal([Second], Assert.Throws<MissingTensorException>(Load).Names);
    }

    [Fact]
    public void AMatrixOfAnotherShapeIsRefused()
    {
        Tensors tensors = Tensors.Read(Matrices);
        tensors.Entry(Second)["shape"] = new JsonArray(36, 18);
        tensors.Write(Matrices);
        TensorShapeException error = Assert.Throws<TensorShapeException>(Load);
        Assert.Equal((Matrices, Second), (error.File, error.Tensor));
    }

    [Fact]
    public void IntegersAreNoMatrix()
    {
        Tensors tensors = Tensors.Read(Matrices);
        tensors.Entry(Second)["dtype"] = "I32";
        tensors.Write(Matrices);
        Assert.Equal(Second, Assert.Throws<TensorTypeException>(Load).Tensor);
    }

    [Theory]
    [InlineData("prune_and_merge.layers.3.merge")]
    [InlineData("prune_and_merge.layers.1.bypass")]
    [InlineData("language_model.model.norm.weight")]
    public void AnotherTensorIsRefused(string name)
    {
        Tensors tensors = Tensors.Read(Matrices);
        tensors.Rename(Second, name);
        tensors.Write(Matrices);
        Assert.Equal(Matrices, Assert.Throws<UnexpectedTensorException>(Load).File);
    }

    [Theory]
    [InlineData(float.NaN, "is NaN at [3, 5]")]
    [InlineData(float.PositiveInfinity, "is Infinity at [3, 5]")]
    public void AnElementThatIsNoNumberIsRefused(float value, string said)
    {
        Write(Second, (row, column) => (row, column) == (3, 5) ? value : column == row ? 1 : 0);
        TensorValueException error = Assert.Throws<TensorValueException>(Load);
        Assert.Equal((Matrices, Second), (error.File, error.Tensor));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ARowThatIsNoMeanIsRefused()
    {
        Write(Second, static (row, column) => column != row ? 0 : row == 4 ? 0.5f : 1);
        TensorValueException error = Assert.Throws<TensorValueException>(Load);
        Assert.Contains("has row 4, which sums to 0.5; each row is a weighted mean and sums to 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RowsThatDependOnEachOtherNeedALearnedRecovery()
    {
        Write(Second, static (row, column) => column == row % 17 ? 1 : 0);
        TensorValueException error = Assert.Throws<TensorValueException>(Load);
        Assert.Contains("store prune_and_merge.layers.1.recover too", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedFileIsTheCheckpointsError()
    {
        File.WriteAllBytes(Matrices, File.ReadAllBytes(Matrices)[..50]);
        Assert.Equal(Matrices, Assert.Throws<TruncatedSafetensorsException>(Load).File);
    }

    [Theory]
    [InlineData("whole layers")]
    [InlineData("one at a time")]
    [InlineData("none")]
    public void AClassThatDoesNotFollowItsPlanFails(string fault)
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        using var model = new Disobedient(checkpoint, fault);
        using var tiny = new TinyModel(static c => ClipLlamaDense.Load(c));
        using Sequence sequence = model.CreateSequence(200);
        Type expected = fault == "none" ? typeof(NotSupportedException) : typeof(InvalidOperationException);
        Assert.Throws(expected, () => { model.Prefill(sequence, tiny.Prefix, tiny.Pixels, tiny.Suffix); });
    }

    private void Write(string name, Func<int, int, float> element)
    {
        Tensors tensors = Tensors.Read(Matrices);
        float[] matrix = [.. Enumerable.Range(0, 18 * 36).Select(i => element(i / 36, i % 36))];
        tensors.Set(name, new JsonObject { ["dtype"] = "F32", ["shape"] = new JsonArray(18, 36) }, MemoryMarshal.AsBytes(matrix.AsSpan()).ToArray());
        tensors.Write(Matrices);
    }

    private void Load()
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        using VisionLanguageModel model = ClipLlamaPruneAndMerge.Load(checkpoint);
    }

    private float[] Logits(Func<Checkpoint, VisionLanguageModel> load)
    {
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        using var tiny = new TinyModel(_ => load(checkpoint));
        using Sequence sequence = tiny.CreateSequence();
        return tiny.Run(sequence, 0)[0];
    }

    /// <summary>A class whose plan runs tower layers 0 and 1 on fewer rows, that does something else.</summary>
    private sealed class Disobedient(Checkpoint checkpoint, string fault) : VisionSideOnly(checkpoint, ClipLlamaPruneAndMerge.Plan)
    {
        protected override void EncodeImage(ImagePass pass)
        {
            pass.EmbedPatches();
            if (fault == "whole layers")
            {
                pass.RunTowerLayers(first: 0, last: 1);
            }
            else
            {
                pass.RunMergedTowerLayers(first: 0, last: fault == "one at a time" ? 0 : 1);
            }

            pass.Project();
        }
    }
}

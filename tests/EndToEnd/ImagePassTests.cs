using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Reductions before the decoder: rows, positions, capacity, memory, survivors, and classes that do not follow their plan.</summary>
public sealed class ImagePassTests
{
    [Fact]
    public void FewerTokensTakeFewerPositionsAndLessMemory()
    {
        using var tiny = new TinyModel(static c => ClipLlamaVisionZip.Load(c));
        using VisionLanguageModel dense = ClipLlamaDense.Load(tiny.Checkpoint);
        using Sequence sequence = tiny.CreateSequence(extra: 3);
        using Sequence denseSequence = dense.CreateSequence(tiny.PromptTokens + 36 - 13 + 3);
        Assert.Equal(36 - 13, denseSequence.Capacity - sequence.Capacity);
        Assert.True(sequence.KeyValueBytes < denseSequence.KeyValueBytes);
        tiny.Run(sequence, 3);
        Assert.Equal(tiny.PromptTokens + 3, sequence.Position);
        Assert.Equal(StepResult.CapacityExhausted, tiny.Model.Decode(sequence, 3));
        Assert.Equal(tiny.PromptTokens, sequence.Statistics.PromptTokens);
    }

    [Fact]
    public void TokensThatKeepTheirPositionsTakeAsManyAsBefore()
    {
        using var tiny = new TinyModel(static c => ClipLlamaGPrune.Load(c));
        using Sequence sequence = tiny.CreateSequence();
        tiny.Run(sequence, 0);
        Assert.Equal(tiny.Prefix.Length + 36 + tiny.Suffix.Length, sequence.Position);
        Assert.Equal(14, sequence.SurvivorsOf(0).Length);
    }

    [Fact]
    public void SurvivorsOfAMergeAreItsTargetsInTheOrderOfTheRows()
    {
        using var tiny = new TinyModel(static c => ClipLlamaVisionAndDecoder.Load(c));
        using Sequence sequence = tiny.CreateSequence();
        tiny.Run(sequence, 0);
        int[] merged = sequence.SurvivorsOf(0).ToArray();
        Assert.Equal(-1, merged[0]);
        Assert.Equal(merged[1..16].Order(), merged[1..16]);
        Assert.Equal(merged[16..].Order(), merged[16..]);
        int[] diverse = sequence.SurvivorsOf(1).ToArray();
        Assert.Equal(diverse, merged.Where(diverse.Contains));
        Assert.Equal(7, sequence.SurvivorsOf(2).Length);
        Assert.Empty(sequence.SurvivorsOf(3).ToArray());
    }

    [Fact]
    public void AnotherImageIsNotMistakenForTheFirst()
    {
        using var tiny = new TinyModel(static c => ClipLlamaVisionAndDecoder.Load(c));
        using Sequence sequence = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(sequence, 2);
        var other = Array.ConvertAll(tiny.Pixels, static pixel => -pixel);
        Assert.Equal(StepResult.Ready, tiny.Model.Prefill(sequence, tiny.Prefix, other, tiny.Suffix));
        Assert.NotEqual(expected[0], sequence.Logits.ToArray());
        Assert.Equal(expected, tiny.Run(sequence, 2));
    }

    [Fact]
    public void OnlyAPlanThatScoresTheTowerLoadsMoreSessions()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        int dense = SessionCount.Of(checkpoint, static (c, options) => ClipLlamaDense.Load(c, options));
        Assert.Equal(dense, SessionCount.Of(checkpoint, static (c, options) => ClipLlamaDivPrune.Load(c, options)));
        Assert.Equal(dense + 1, SessionCount.Of(checkpoint, static (c, options) => ClipLlamaVisionZip.Load(c, options)));
        Assert.Equal(dense + 1, SessionCount.Of(checkpoint, static (c, options) => ClipLlamaVtcCls.Load(c, options)));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("tower without scores")]
    [InlineData("no step")]
    [InlineData("too many kept")]
    [InlineData("merge in place of keep")]
    [InlineData("no projector")]
    [InlineData("no step behind the projector")]
    [InlineData("tower twice")]
    public void AClassThatDoesNotFollowItsPlanFails(string fault)
    {
        using var tiny = new TinyModel(checkpoint => new Disobedient(checkpoint, fault));
        using Sequence sequence = tiny.CreateSequence();
        Assert.Throws<InvalidOperationException>(() => tiny.Prefill(sequence));
        Assert.Throws<InvalidOperationException>(() => tiny.Model.Decode(sequence, 3));
    }

    [Theory]
    [InlineData(new[] { 3, 3 })]
    [InlineData(new[] { 4, 3 })]
    [InlineData(new[] { -1, 3 })]
    [InlineData(new[] { 3, 36 })]
    public void KeptTokensAreChecked(int[] last)
    {
        using var tiny = new TinyModel(checkpoint => new Disobedient(checkpoint, "indices", last));
        using Sequence sequence = tiny.CreateSequence();
        Assert.Throws<ArgumentException>(() => tiny.Prefill(sequence));
    }

    /// <summary>A class with the plan of a prune at the tower and one behind the projector, that does something else.</summary>
    private sealed class Disobedient(Checkpoint checkpoint, string fault, int[]? indices = null) : VisionSideOnly(checkpoint, TwoKept)
    {
        private static readonly ReductionPlan TwoKept = Planner.Plan(
            ClipLlamaDense.Plan.Geometry,
            [
                new PolicyDeclaration("VtcCls", new IntegerArgument("Keep", 2), new IntegerArgument("Layer", 1)),
                new PolicyDeclaration("DivPrune", new IntegerArgument("Keep", 1)),
            ]).Plan!;

        protected override void EncodeImage(ImagePass pass)
        {
            if (fault == "nothing")
            {
                return;
            }

            if (fault == "tower without scores")
            {
                pass.RunTower();
            }

            pass.RunScoredTower();
            if (fault == "tower twice")
            {
                pass.RunScoredTower();
            }

            if (fault == "merge in place of keep")
            {
                pass.Merge([1, 2]);
            }

            if (fault != "no step")
            {
                pass.Keep(fault == "too many kept" ? [1, 2, 3] : indices ?? [1, 2]);
            }

            if (fault != "no projector")
            {
                pass.Project();
            }

            if (fault != "no step behind the projector")
            {
                pass.Keep([0]);
            }
        }
    }
}

using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Reductions inside the vision tower: sessions, tokens, images one after the other, and classes that do not follow their plan.</summary>
public sealed class TowerPassTests
{
    [Fact]
    public void AnotherImageIsNotMistakenForTheFirst()
    {
        foreach (Func<Checkpoint, VisionLanguageModel> load in (Func<Checkpoint, VisionLanguageModel>[])[static c => ClipLlamaToMe.Load(c), static c => ClipLlamaFiCoCoV.Load(c), static c => ClipLlamaTowerAndDecoder.Load(c)])
        {
            using var tiny = new TinyModel(load);
            using Sequence sequence = tiny.CreateSequence();
            List<float[]> expected = tiny.Run(sequence, 2);
            float[] other = Array.ConvertAll(tiny.Pixels, static pixel => -pixel);
            Assert.Equal(StepResult.Ready, tiny.Model.Prefill(sequence, tiny.Prefix, other, tiny.Suffix));
            Assert.NotEqual(expected[0], sequence.Logits.ToArray());
            Assert.Equal(expected, tiny.Run(sequence, 2));
        }
    }

    [Fact]
    public void EveryPatchIsInSomeRowAndRowsAreInTheOrderOfTheMethod()
    {
        using var tiny = new TinyModel(static c => ClipLlamaToMe.Load(c));
        using Sequence sequence = tiny.CreateSequence();
        tiny.Run(sequence, 0);
        var held = new List<int>();
        var tokens = new int[36];
        for (int row = 0; row < 20; row++)
        {
            int count = sequence.TokensOf(row, tokens);
            Assert.Contains(sequence.SurvivorsOf(0)[row], tokens[..count]);
            held.AddRange(tokens[..count]);
        }

        Assert.Equal(Enumerable.Range(0, 36), held.Order());

        using var filtered = new TinyModel(static c => ClipLlamaFiCoCoV.Load(c));
        using Sequence second = filtered.CreateSequence();
        filtered.Run(second, 0);
        Assert.Equal(second.SurvivorsOf(0).ToArray().Order(), second.SurvivorsOf(0).ToArray());
        Assert.Equal(filtered.Prefix.Length + 18 + filtered.Suffix.Length, second.Position);
    }

    [Fact]
    public void SessionsAreCountedAndSharedBetweenVariants()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);

        // In place of one tower: patches, the merge, and two halves for each of the two layers; or one whole layer and two halves.
        int dense = SessionCount.Of(checkpoint, static (c, options) => ClipLlamaDense.Load(c, options));
        Assert.Equal(dense + 5, SessionCount.Of(checkpoint, static (c, options) => ClipLlamaFiCoCoV.Load(c, options)));
        Assert.Equal(dense + 4, SessionCount.Of(checkpoint, static (c, options) => ClipLlamaFiCoCoVCode.Load(c, options)));
    }

    [Fact]
    public void CancellingInsideTheTowerLeavesTheSequenceUsable()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        using var tiny = new TinyModel(static c => ClipLlamaFiCoCoV.Load(c));
        using var cancellation = new CancellationTokenSource();
        using var model = new Disobedient(checkpoint, "none", cancellation.Cancel);
        using Sequence sequence = model.CreateSequence(200);
        Assert.ThrowsAny<OperationCanceledException>(() => model.Prefill(sequence, tiny.Prefix, tiny.Pixels, tiny.Suffix, cancellation.Token));
        Assert.Throws<NotSupportedException>(() => model.Prefill(sequence, tiny.Prefix, tiny.Pixels, tiny.Suffix));
    }

    [Theory]
    [InlineData("whole tower")]
    [InlineData("no patches")]
    [InlineData("whole layer that reduces")]
    [InlineData("too few whole layers")]
    [InlineData("attention of a whole layer")]
    [InlineData("keys that are not read")]
    [InlineData("map before the attention")]
    [InlineData("sizes before the attention")]
    [InlineData("too few leave")]
    [InlineData("merge of another")]
    [InlineData("no merge")]
    [InlineData("merge twice")]
    [InlineData("feed-forward of another layer")]
    [InlineData("no feed-forward")]
    public void AClassThatDoesNotFollowItsPlanFails(string fault)
    {
        using var tiny = new TinyModel(checkpoint => new Disobedient(checkpoint, fault));
        using Sequence sequence = tiny.CreateSequence();
        Assert.Throws<InvalidOperationException>(() => tiny.Prefill(sequence));
        Assert.Throws<InvalidOperationException>(() => tiny.Model.Decode(sequence, 3));
    }

    [Theory]
    [InlineData("twice")]
    [InlineData("out of range")]
    public void MergedTokensAreChecked(string fault)
    {
        using var tiny = new TinyModel(checkpoint => new Disobedient(checkpoint, fault));
        using Sequence sequence = tiny.CreateSequence();
        Assert.Throws<ArgumentException>(() => tiny.Prefill(sequence));
    }

    /// <summary>A class whose plan merges four tokens in tower layer 1, behind a whole layer 0, that does something else.</summary>
    private sealed class Disobedient(Checkpoint checkpoint, string fault, Action? beforeLayer = null) : VisionSideOnly(checkpoint, FourLeave)
    {
        private static readonly ReductionPlan FourLeave = Planner.Plan(ClipLlamaDense.Plan.Geometry, [new PolicyDeclaration("FiCoCoV", new IntegerArgument("R", 4))]).Plan!;

        protected override void EncodeImage(ImagePass pass)
        {
            if (fault == "whole tower")
            {
                pass.RunTower();
            }

            if (fault != "no patches")
            {
                pass.EmbedPatches();
            }

            beforeLayer?.Invoke();
            pass.RunTowerLayers(0, fault == "whole layer that reduces" ? 1 : fault == "too few whole layers" ? -1 : 0);
            if (fault == "map before the attention")
            {
                _ = pass.AttentionMap.Length;
            }

            if (fault == "sizes before the attention")
            {
                _ = pass.Sizes.Length;
            }

            pass.RunTowerAttention(fault == "attention of a whole layer" ? 0 : 1);
            if (fault == "keys that are not read")
            {
                _ = pass.TowerKeys.Length;
            }

            RowMerge merge = pass.BeginMerge(fault == "too few leave" ? 3 : 4);
            for (int token = 0; token < 36; token++)
            {
                (token < 32 ? ref merge.Kept[token] : ref merge.Absorbed[token - 32]) = token;
            }

            if (fault is "twice" or "out of range")
            {
                merge.Absorbed[3] = fault == "twice" ? 0 : 36;
            }

            if (fault != "no merge")
            {
                pass.MergeTower(fault == "merge of another" ? new RowMerge(merge.Kept.ToArray(), merge.Absorbed, merge.Own, merge.Shares) : merge);
            }

            if (fault == "merge twice")
            {
                pass.MergeTower(merge);
            }

            if (fault != "no feed-forward")
            {
                pass.RunTowerFeedForward(fault == "feed-forward of another layer" ? 0 : 1);
            }

            pass.Project();
        }
    }
}

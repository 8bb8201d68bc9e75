using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>A tower whose layers run ahead: its sessions, what the rows stand for, and classes that do not follow their plan.</summary>
public sealed class LookAheadTests
{
    [Fact]
    public void EveryPatchIsInSomeRowAndTheMergedOneComesLast()
    {
        using var tiny = new TinyModel(static c => ClipLlamaElip.Load(c));
        using Sequence sequence = tiny.CreateSequence();
        tiny.Run(sequence, 0);
        int[] rows = sequence.SurvivorsOf(0).ToArray();
        Assert.Equal(19, rows.Length);
        var tokens = new int[36];
        Assert.Equal(Enumerable.Range(0, 36), Enumerable.Range(0, 19).SelectMany(row => tokens[..sequence.TokensOf(row, tokens)]).Order());
        Assert.True(sequence.TokensOf(18, tokens) >= 36 - 18 - 7, "The merged row holds too few patches.");
        Assert.Equal(tiny.Prefix.Length + 19 + tiny.Suffix.Length, sequence.Position);
    }

    [Fact]
    public void SessionsAreCounted()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);

        // In place of one tower: patches, the merge, and for each place its attention and the layers behind it, and what runs whole ahead; FastV adds a scored layer.
        int dense = SessionCount.Of(checkpoint, static (c, options) => ClipLlamaDense.Load(c, options));
        Assert.Equal(dense + 5, SessionCount.Of(checkpoint, static (c, options) => ClipLlamaElip.Load(c, options)));
        Assert.Equal(dense + 4 + 1, SessionCount.Of(checkpoint, static (c, options) => ClipLlamaElipAhead.Load(c, options)));
        Assert.Equal(dense + 3, SessionCount.Of(checkpoint, static (c, options) => ClipLlamaElipNear.Load(c, options)));
    }

    [Theory]
    [InlineData("no look-ahead")]
    [InlineData("look-ahead of another length")]
    [InlineData("attention of the layer")]
    [InlineData("attention before the look-ahead")]
    [InlineData("map that is not read")]
    [InlineData("no merge")]
    [InlineData("feed-forward behind the merge")]
    [InlineData("look-ahead twice")]
    public void AClassThatDoesNotFollowItsPlanFails(string fault)
    {
        using var tiny = new TinyModel(checkpoint => new Disobedient(checkpoint, fault));
        using Sequence sequence = tiny.CreateSequence();
        Assert.Throws<InvalidOperationException>(() => tiny.Prefill(sequence));
    }

    [Fact]
    public void AClassThatFollowsItIsAccepted()
    {
        using var tiny = new TinyModel(checkpoint => new Disobedient(checkpoint, "none"));
        using Sequence sequence = tiny.CreateSequence();
        Assert.Throws<NotSupportedException>(() => tiny.Prefill(sequence));
    }

    /// <summary>A class whose plan reduces before tower layer 0, by what layer 1 attends to, that does something else.</summary>
    private sealed class Disobedient(Checkpoint checkpoint, string fault) : VisionSideOnly(checkpoint, ClipLlamaElipAhead.Plan)
    {
        protected override void EncodeImage(ImagePass pass)
        {
            pass.EmbedPatches();
            if (fault == "attention before the look-ahead")
            {
                _ = pass.ClsAttention.Length;
            }

            if (fault == "attention of the layer")
            {
                pass.RunTowerAttention(layer: 0);
            }
            else if (fault != "no look-ahead")
            {
                pass.LookAhead(first: 0, last: fault == "look-ahead of another length" ? 0 : 1);
            }

            if (fault == "look-ahead twice")
            {
                pass.LookAhead(first: 0, last: 1);
            }

            if (fault == "map that is not read")
            {
                _ = pass.AttentionMap.Length;
            }

            if (fault is not ("no merge" or "no look-ahead"))
            {
                RowMerge merge = pass.BeginMerge(leaving: 36 - 22);
                Elip.Select(pass.ClsAttention, merge);
                pass.MergeTower(merge);
            }

            if (fault == "feed-forward behind the merge")
            {
                pass.RunTowerFeedForward(layer: 0);
            }

            pass.RunTowerLayers(first: 0, last: 1);
            pass.Project();
        }
    }
}

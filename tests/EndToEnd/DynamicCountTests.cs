using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Counts that depend on the image: what is reported of them, what room they take, and loops that count otherwise than their plan.</summary>
public sealed class DynamicCountTests
{
    [Fact]
    public void StatisticsTellTheRowsOfEachSegmentAsTheImageHadThem()
    {
        using var tiny = new TinyModel(static c => ClipLlamaSimilarityBend.Load(c));
        using Sequence sequence = tiny.CreateSequence();
        Assert.Empty(sequence.Statistics.VisualTokens);
        Assert.Equal(StepResult.Ready, tiny.Prefill(sequence));
        int[] survivors = [.. Enumerable.Range(0, 4).Select(step => sequence.SurvivorsOf(step).Length)];

        // Two steps before the decoder; the first segment is cut where a layer is frozen.
        int[] expected = [survivors[1], survivors[1], survivors[2], survivors[3]];
        Assert.Equal(expected, sequence.Statistics.VisualTokens.ToArray());
        Assert.True(survivors[0] < 36 && survivors[1] < survivors[0]);
        Assert.Equal(Math.Max(1, (int)(survivors[0] * 0.6)), survivors[1]);
        Assert.Equal(survivors[1] / 2, survivors[2]);
        Assert.Equal(survivors[1] / 4, survivors[3]);
    }

    [Fact]
    public void StatisticsOfAPlanThatKnowsItsCountsAreThoseOfThePlan()
    {
        using var tiny = new TinyModel(static c => ClipLlamaAll.Load(c));
        using Sequence sequence = tiny.CreateSequence();
        tiny.Prefill(sequence);
        Assert.Equal(tiny.Model.LoadedPlan.Segments.Select(static segment => segment.VisualTokens), sequence.Statistics.VisualTokens);
    }

    [Fact]
    public void EveryImageTakesTheRoomOfTheUpperBound()
    {
        using var tiny = new TinyModel(static c => ClipLlamaSimilarity.Load(c));
        Assert.Equal(36, tiny.Model.LoadedPlan.ImagePositions);
        using (Sequence small = tiny.CreateSequence(extra: -1))
        {
            Assert.Equal(StepResult.CapacityExhausted, tiny.Prefill(small));
        }

        using Sequence sequence = tiny.CreateSequence(extra: 3);
        tiny.Run(sequence, 3);
        Assert.Equal(tiny.Prefix.Length + sequence.SurvivorsOf(0).Length + tiny.Suffix.Length + 3, sequence.Position);
        Assert.True(sequence.Position < sequence.Capacity);
        Assert.Equal(StepResult.CapacityExhausted, tiny.Model.Decode(sequence, 3));
        Assert.Equal(StepResult.CapacityExhausted, tiny.Model.Extend(sequence, [3, 4]));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("rank")]
    [InlineData("both rounds, and text")]
    public void ACountThatKeepsAllIsTheDenseModel(string variant)
    {
        using var tiny = new TinyModel(variant switch
        {
            "cut" => static c => ClipLlamaSimilarityAll.Load(c),
            "rank" => static c => ClipLlamaSparseVlmAll.Load(c),
            _ => static c => ClipLlamaSimilarityBothAll.Load(c),
        });
        using VisionLanguageModel dense = ClipLlamaDense.Load(tiny.Checkpoint);
        using Sequence sequence = tiny.CreateSequence();
        using Sequence other = dense.CreateSequence(sequence.Capacity);
        tiny.Run(sequence, 2);
        Assert.Equal(StepResult.Ready, dense.Prefill(other, tiny.Prefix, tiny.Pixels, tiny.Suffix));
        tiny.Prefill(sequence);
        Assert.Equal(other.Logits.ToArray(), sequence.Logits.ToArray());
        Assert.Equal(other.Position, sequence.Position);
    }

    [Theory]
    [InlineData("prune")]
    [InlineData("FastV")]
    [InlineData("FastV, mean")]
    [InlineData("SparseVLM")]
    [InlineData("SparseVLM+")]
    [InlineData("DivPrune")]
    [InlineData("CDPruner")]
    [InlineData("G-Prune")]
    public void AMethodThatKeepsAllThatIsThereChangesNoBit(string method)
    {
        using var tiny = new TinyModel(method switch
        {
            "prune" => static c => ClipLlamaFewPruned.Load(c),
            "FastV" => static c => ClipLlamaFewFastV.Load(c),
            "FastV, mean" => static c => ClipLlamaFewFastVMean.Load(c),
            "SparseVLM" => static c => ClipLlamaFewSparseVlm.Load(c),
            "SparseVLM+" => static c => ClipLlamaFewSparseVlmPlus.Load(c),
            "DivPrune" => static c => ClipLlamaFewDivPrune.Load(c),
            "CDPruner" => static c => ClipLlamaFewCDPruner.Load(c),
            _ => static c => ClipLlamaFewGPrune.Load(c),
        });
        using VisionLanguageModel without = ClipLlamaFewTokens.Load(tiny.Checkpoint);
        using Sequence sequence = tiny.CreateSequence();
        using Sequence other = without.CreateSequence(sequence.Capacity);
        List<float[]> logits = tiny.Run(sequence, 2);
        Assert.Equal(StepResult.Ready, without.Prefill(other, tiny.Prefix, tiny.Pixels, tiny.Suffix));
        Assert.InRange(other.SurvivorsOf(0).Length, 2, 24);
        Assert.True(other.SurvivorsOf(0).SequenceEqual(sequence.SurvivorsOf(1)), $"{method} lets tokens leave, or moves them.");
        for (int step = 0; step < logits.Count; step++)
        {
            Assert.Equal(other.Logits.ToArray(), logits[step]);
            Assert.Equal(StepResult.Ready, without.Decode(other, Array.IndexOf(logits[step], logits[step].Max())));
        }

        Assert.Equal(other.Position - 1, sequence.Position);
    }

    [Theory]
    [InlineData("as planned", false)]
    [InlineData("none kept", true)]
    [InlineData("more than the bound", true)]
    [InlineData("a count of its own", true)]
    [InlineData("another bound", true)]
    [InlineData("another share", true)]
    [InlineData("no text step", true)]
    [InlineData("another theta", true)]
    [InlineData("text twice", true)]
    public void ALoopThatCountsOtherwiseThanItsPlanFails(string fault, bool fails)
    {
        using var tiny = new TinyModel(static c => ClipLlamaDense.Load(c));
        using var model = new Counting(tiny.Checkpoint, fault);
        using Sequence sequence = model.CreateSequence(200);
        Exception? found = Record.Exception(() => model.Prefill(sequence, tiny.Prefix, tiny.Pixels, tiny.Suffix));
        if (fails)
        {
            Assert.IsType<InvalidOperationException>(found);
            Assert.Throws<InvalidOperationException>(() => model.Decode(sequence, 3));
        }
        else
        {
            Assert.Null(found);
        }
    }

    /// <summary>A class with the plan of a cut at the tower, a round with text before layer 2 and a share before layer 4, that may do something else.</summary>
    private sealed class Counting(Checkpoint checkpoint, string fault) : VisionLanguageModel(checkpoint, Planned, null)
    {
        private static readonly ReductionPlan Planned = Planner.Plan(
            ClipLlamaDense.Plan.Geometry,
            [
                new PolicyDeclaration("SparsityMeetsSimilarity", new RealArgument("AtMost", 0.5), new ChoiceArgument("Round2", "VisualAndText")),
                new PolicyDeclaration("FastV", new IntegerArgument("K", 4), new RealArgument("R", 0.5)),
            ]).Plan!;

        protected override void EncodeImage(ImagePass pass)
        {
            pass.RunScoredTower();
            pass.Keep([.. Enumerable.Range(0, fault switch { "none kept" => 0, "more than the bound" => 19, _ => 11 })]);
            pass.Project();
        }

        protected override void Prefill(ForwardPass pass)
        {
            if (fault == "a count of its own")
            {
                pass.BeginPrefill(11);
            }

            pass.BeginPrefillAtMost(fault == "another bound" ? 11 : 18);
            pass.RunDense(0);
            pass.RunTextScored(1, new float[pass.VisualTokens]);
            pass.KeepVisual([0, 1, 2, 3, 4, 5, 6]);
            if (fault != "no text step")
            {
                pass.KeepRelevantText(fault == "another theta" ? 2 : 1);
            }

            if (fault == "text twice")
            {
                pass.KeepRelevantText(1);
            }

            pass.RunDense(2);
            pass.RunScored(3, new float[pass.VisualTokens]);

            // Half of seven, to even, is four.
            pass.KeepVisual(fault == "another share" ? [0, 1, 2] : [0, 1, 2, 3]);
            pass.RunDense(4);
            pass.RunLastRow(5);
            pass.EndPrefill();
        }

        protected override void DecodeStep(ForwardPass pass) => throw new NotSupportedException("Nothing is decoded.");
    }
}

using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>A loop that does not follow its plan fails; it never answers wrongly. And a loop that is cancelled half way leaves nothing behind.</summary>
public sealed class LoopOrderTests
{
    public static TheoryData<string> WrongLoops() => new(WrongLoop.All.Keys);

    public static TheoryData<string> WrongStages() => new(WrongLoop.Stages.Keys);

    [Theory]
    [MemberData(nameof(WrongLoops))]
    public void AWrongLoopFails(string name)
    {
        using var tiny = new TinyModel(c => new WrongLoop(c, ClipLlamaAll.Plan, WrongLoop.All[name]));
        using Sequence sequence = tiny.CreateSequence();
        Assert.ThrowsAny<InvalidOperationException>(() => tiny.Prefill(sequence));
        Assert.Throws<InvalidOperationException>(() => tiny.Model.Decode(sequence, 3));
    }

    [Theory]
    [MemberData(nameof(WrongStages))]
    public void AWrongStageFails(string name)
    {
        using var tiny = new TinyModel(c => new WrongLoop(c, ClipLlamaPyramid.Plan, WrongLoop.Stages[name]));
        using Sequence sequence = tiny.CreateSequence();
        Assert.ThrowsAny<InvalidOperationException>(() => tiny.Prefill(sequence));
    }

    [Theory]
    [InlineData("no raters")]
    [InlineData("raters twice")]
    [InlineData("raters behind a layer")]
    [InlineData("a layer that is not rated")]
    [InlineData("too few scores")]
    [InlineData("attention before the layer")]
    [InlineData("attention behind the step")]
    [InlineData("a rank")]
    [InlineData("as planned")]
    public void AWrongUseOfRatersFails(string name)
    {
        // The plan: 36 visual tokens are 18 behind layer 1 and 7 behind layer 3.
        using var tiny = new TinyModel(c => new WrongLoop(c, ClipLlamaSparseVlmPlus.Plan, pass =>
        {
            pass.BeginPrefill(36);
            for (int i = name switch { "no raters" or "raters behind a layer" => 0, "raters twice" => 2, _ => 1 }; i > 0; i--)
            {
                pass.ChooseRaters();
            }

            pass.RunDense(0);
            switch (name)
            {
                case "raters behind a layer":
                    pass.ChooseRaters();
                    break;
                case "attention before the layer":
                    _ = pass.RaterAttention.Raters;
                    break;
                case "a layer that is not rated":
                    pass.RunTextScored(1, new float[36]);
                    break;
            }

            pass.RunRaterScored(1, new float[name == "too few scores" ? 35 : 36]);
            Assert.Equal(36, pass.RaterAttention.VisualRows);
            _ = name == "a rank" ? pass.RaterRank : 0;
            pass.KeepVisual([.. Enumerable.Range(3, 18)]);
            _ = name == "attention behind the step" ? pass.RaterAttention.Raters : 0;
            pass.RunDense(2);
            pass.RunRaterScored(3, new float[18]);
            pass.KeepVisual([.. Enumerable.Range(3, 7)]);
            pass.RunDense(4);
            pass.RunLastRow(5);
            pass.EndPrefill();
        }));
        using Sequence sequence = tiny.CreateSequence();
        Exception? thrown = Record.Exception(() => tiny.Prefill(sequence));
        Assert.True(name == "as planned" ? thrown is null : thrown is InvalidOperationException, thrown?.ToString());
    }

    [Theory]
    [InlineData("leaves in place of merging")]
    [InlineData("a merge of its own")]
    [InlineData("another count")]
    [InlineData("one row twice")]
    [InlineData("a row that is not there")]
    [InlineData("rows out of order")]
    [InlineData("as planned")]
    public void AWrongMergeFails(string name)
    {
        // The plan: 36 visual tokens are merged into 12 after layer 2.
        using var tiny = new TinyModel(c => new WrongLoop(c, ClipLlamaMerge.Plan, pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            pass.RunDense(1);
            pass.RunDense(2);
            int[] kept = [.. Enumerable.Range(4, 12)];
            RowMerge merge = pass.Merge(name == "another count" ? 11 : 12);
            kept[..merge.Kept.Length].CopyTo(merge.Kept);
            Enumerable.Range(0, 36).Except(merge.Kept.ToArray()).ToArray().CopyTo(merge.Absorbed);
            switch (name)
            {
                case "leaves in place of merging":
                    pass.KeepVisual(kept);
                    return;
                case "a merge of its own":
                    pass.MergeVisual(new RowMerge(merge.Kept, merge.Absorbed, new float[12], merge.Shares));
                    return;
                case "one row twice":
                    merge.Absorbed[3] = merge.Kept[4];
                    break;
                case "a row that is not there":
                    merge.Absorbed[3] = 36;
                    break;
                case "rows out of order":
                    (merge.Kept[3], merge.Kept[4]) = (merge.Kept[4], merge.Kept[3]);
                    break;
            }

            pass.MergeVisual(merge);
            pass.RunDense(3);
            pass.RunDense(4);
            pass.RunLastRow(5);
            pass.EndPrefill();
        }));
        using Sequence sequence = tiny.CreateSequence();
        Exception? thrown = Record.Exception(() => tiny.Prefill(sequence));
        Assert.True(name == "as planned" ? thrown is null : thrown is InvalidOperationException or ArgumentException, thrown?.ToString());
    }

    [Theory]
    [InlineData("a gate is not asked")]
    [InlineData("a gate is not heard")]
    [InlineData("they leave unasked")]
    [InlineData("they leave though the gate says stay")]
    [InlineData("a gate is asked twice")]
    [InlineData("a gate is asked when they have left")]
    [InlineData("a gate behind another layer")]
    [InlineData("as planned")]
    public void AWrongGateFails(string name)
    {
        // For this prompt the gate behind layer 0 says stay, the one behind layer 1 exit.
        using var tiny = new TinyModel(c => new WrongLoop(c, ClipLlamaDyVte.Plan, pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            if (name == "they leave unasked")
            {
                pass.ExitVisual();
            }

            if (name == "a gate behind another layer")
            {
                pass.Gate(1);
            }

            if (name != "a gate is not asked")
            {
                Assert.False(pass.Gate(0));
            }

            if (name == "they leave though the gate says stay")
            {
                pass.ExitVisual();
            }

            if (name == "a gate is asked twice")
            {
                pass.Gate(0);
            }

            pass.RunDense(1);
            Assert.True(pass.Gate(1));
            if (name != "a gate is not heard")
            {
                pass.ExitVisual();
            }

            if (name == "a gate is asked when they have left")
            {
                pass.RunDense(2);
                pass.Gate(2);
            }

            for (int layer = 2; layer < 5; layer++)
            {
                pass.RunDense(layer);
            }

            pass.RunLastRow(5);
            pass.EndPrefill();
        }));
        using Sequence sequence = tiny.CreateSequence();
        Exception? thrown = Record.Exception(() => tiny.Prefill(sequence));
        Assert.True(name == "as planned" ? thrown is null : thrown is InvalidOperationException, thrown?.ToString());
    }

    [Theory]
    [InlineData("the second half first")]
    [InlineData("no merge between the halves")]
    [InlineData("the next layer behind the first half")]
    [InlineData("a whole layer")]
    [InlineData("tokens leave between the halves")]
    [InlineData("merges behind the layer")]
    [InlineData("the map behind the layer")]
    [InlineData("as planned")]
    public void WrongHalvesFail(string name)
    {
        // The plan: 30 visual tokens, frozen in layers 1 and 2, 4 go into others inside layer 3, exit after layer 4.
        using var tiny = new TinyModel(c => new WrongLoop(c, ClipLlamaFiCoCoLTogether.Plan, pass =>
        {
            pass.BeginPrefill(36);
            pass.KeepVisual([.. Enumerable.Range(0, 30)]);
            pass.RunDense(0);
            pass.RunFrozen(1);
            pass.RunFrozen(2);
            switch (name)
            {
                case "the second half first":
                    pass.RunFeedForward(3);
                    return;
                case "a whole layer":
                    pass.RunDense(3);
                    return;
            }

            pass.RunAttention(3);
            switch (name)
            {
                case "no merge between the halves":
                    pass.RunFeedForward(3);
                    return;
                case "the next layer behind the first half":
                    pass.RunDense(4);
                    return;
                case "tokens leave between the halves":
                    pass.KeepVisual([.. Enumerable.Range(0, 26)]);
                    return;
            }

            RowMerge merge = pass.Merge(26);
            FiCoCoL.Select(pass.AttentionMap, FiCoCoMode.Paper, 0.6, 0.6, 0.9, new float[60], merge);
            pass.MergeVisual(merge);
            pass.RenumberRows();
            pass.RunFeedForward(3);
            switch (name)
            {
                case "merges behind the layer":
                    pass.MergeVisual(pass.Merge(22));
                    return;
                case "the map behind the layer":
                    _ = pass.AttentionMap;
                    return;
            }

            pass.RunDense(4);
            pass.ExitVisual();
            pass.RunLastRow(5);
            pass.EndPrefill();
        }));
        using Sequence sequence = tiny.CreateSequence();
        Exception? thrown = Record.Exception(() => tiny.Prefill(sequence));
        Assert.True(name == "as planned" ? thrown is null : thrown is InvalidOperationException or ArgumentException, thrown?.ToString());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    public void ALoopCancelledHalfWayLeavesTheSequenceUsable(int layer)
    {
        using var tiny = new TinyModel();
        using Sequence alone = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(alone, 3);

        using var cancel = new CancellationTokenSource();
        var loop = new CancellingLoop(tiny.Checkpoint, ClipLlamaAll.Plan) { CancelBefore = layer, Cancel = cancel };
        using var cancelled = new TinyModel(_ => loop);
        using Sequence sequence = cancelled.CreateSequence();
        Assert.Throws<OperationCanceledException>(() => cancelled.Prefill(sequence, cancel.Token));
        loop.CancelBefore = -1;
        Assert.Equal(expected, cancelled.Run(sequence, 3));
    }

    private sealed class CancellingLoop(Checkpoint checkpoint, ReductionPlan plan) : NaiveTwin(checkpoint, plan)
    {
        public int CancelBefore { get; set; }

        public required CancellationTokenSource Cancel { get; init; }

        protected override void BeforeLayer(int layer)
        {
            if (layer == CancelBefore)
            {
                Cancel.Cancel();
            }
        }
    }

    // The plan: FastV after layer 1 (36 to 18), frozen 3 and 4, exit after 4, text only in 5.
    private sealed class WrongLoop(Checkpoint checkpoint, ReductionPlan plan, Action<ForwardPass> prefill) : VisionLanguageModel(checkpoint, plan, null)
    {
        public static Dictionary<string, Action<ForwardPass>> All { get; } = new()
        {
            ["does not begin"] = static pass => pass.RunDense(0),
            ["begins twice"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.BeginPrefill(36);
            },
            ["another count"] = static pass => pass.BeginPrefill(35),
            ["skips a layer"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.RunDense(1);
            },
            ["repeats a layer"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.RunDense(0);
                pass.RunDense(0);
            },
            ["dense in place of scored"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.RunDense(0);
                pass.RunDense(1);
            },
            ["forgets the prune"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.RunDense(0);
                pass.RunScored(1, new float[36]);
                pass.RunDense(2);
                pass.RunFrozen(3);
                pass.RunFrozen(4);
                pass.ExitVisual();
                pass.RunLastRow(5);
                pass.EndPrefill();
            },
            ["prunes too early"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.RunDense(0);
                pass.KeepVisual([.. Enumerable.Range(0, 18)]);
            },
            ["keeps another count"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.RunDense(0);
                pass.RunScored(1, new float[36]);
                pass.KeepVisual([.. Enumerable.Range(0, 17)]);
            },
            ["too few scores"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.RunDense(0);
                pass.RunScored(1, new float[35]);
            },
            ["ends early"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.EndPrefill();
            },
            ["the last row of another layer"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.RunLastRow(0);
            },
            ["does nothing"] = static _ => { },
        };

        // The plan: PyramidDrop before layers 2 (36 to 18) and 4 (18 to 9).
        public static Dictionary<string, Action<ForwardPass>> Stages { get; } = new()
        {
            ["forgets to renumber"] = static pass =>
            {
                FirstStage(pass);
                pass.ScoreAhead(2, new float[36]);
                pass.KeepVisual([.. Enumerable.Range(0, 18)]);
                pass.RunDense(2);
            },
            ["renumbers before it prunes"] = static pass =>
            {
                FirstStage(pass);
                pass.RenumberRows();
            },
            ["asks a layer that is not the next"] = static pass =>
            {
                FirstStage(pass);
                pass.ScoreAhead(4, new float[36]);
            },
            ["asks a layer that the plan does not ask"] = static pass =>
            {
                pass.BeginPrefill(36);
                pass.RunDense(0);
                pass.ScoreAhead(1, new float[36]);
            },
            ["asks for too few scores"] = static pass =>
            {
                FirstStage(pass);
                pass.ScoreAhead(2, new float[35]);
            },
            ["lets a scorer write too few scores"] = static pass =>
            {
                FirstStage(pass);
                pass.ScoreVisual<NormScorer>(new float[35]);
            },
            ["ranks before it begins"] = static pass => pass.ScoreVisual<NormScorer>(new float[36]),
        };

        private static void FirstStage(ForwardPass pass)
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            pass.RunDense(1);
        }

        protected override void Prefill(ForwardPass pass) => prefill(pass);

        protected override void DecodeStep(ForwardPass pass)
        {
            pass.BeginDecode();
            pass.RunDecode(0);
            pass.EndDecode();
        }
    }
}

using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>A loop that follows its plan in the layers, but takes a step in another way than the plan says, fails too. Each theory holds the loop as planned against it.</summary>
public sealed class StepOrderTests
{
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
        Exception? thrown = WrongLoop.Run(ClipLlamaSparseVlmPlus.Plan, pass =>
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
        });
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
        Exception? thrown = WrongLoop.Run(ClipLlamaMerge.Plan, pass =>
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
        });
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
        Exception? thrown = WrongLoop.Run(ClipLlamaDyVte.Plan, pass =>
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
        });
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
        Exception? thrown = WrongLoop.Run(ClipLlamaFiCoCoLTogether.Plan, pass =>
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
            FiCoCoL.Select(pass.AttentionMap, FiCoCoMode.Paper, FiCoCoRedundancy.RawLogits, 0.6, 0.6, 0.9, new float[60], merge);
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
        });
        Assert.True(name == "as planned" ? thrown is null : thrown is InvalidOperationException or ArgumentException, thrown?.ToString());
    }
}

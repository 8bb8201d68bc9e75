using Espalier.Planning;
using static Espalier.Tests.Geometries;

namespace Espalier.Tests;

/// <summary>The public face of a plan: its parts fit, equal parts are equal plans, its table and its costs.</summary>
public sealed class ReductionPlanTests
{
    [Theory]
    [InlineData(LayerKind.Dense, false, false, false)]
    [InlineData(LayerKind.Scored, false, true, false)]
    [InlineData(LayerKind.Frozen, true, false, false)]
    [InlineData(LayerKind.FrozenScored, true, true, false)]
    [InlineData(LayerKind.TextScored, false, true, true)]
    [InlineData(LayerKind.FrozenTextScored, true, true, true)]
    [InlineData(LayerKind.RaterScored, false, true, false)]
    [InlineData(LayerKind.FrozenRaterScored, true, true, false)]
    [InlineData(LayerKind.LastRow, true, false, false)]
    [InlineData(LayerKind.Partial, false, false, false)]
    [InlineData(LayerKind.PartialScored, false, true, false)]
    [InlineData(LayerKind.PartialTextScored, false, true, true)]
    public void KindsSayWhatTheyDo(LayerKind kind, bool frozen, bool scored, bool textScored) =>
        Assert.Equal((frozen, scored, textScored), (kind.IsFrozen(), kind.IsScored(), kind.IsTextScored()));

    [Fact]
    public void CacheBytesFollowTheRowsOfEachLayer()
    {
        // 3 key and value heads of 32, keys and values, 4 bytes: 768 bytes a row.
        ReductionPlan plan = Plan(Shapes, Prune(1, 44), Exit(5));
        Assert.Equal(768L * ((2 * (20 + 144)) + (4 * (20 + 44)) + (4 * 20)), plan.KeyValueBytes(20));
        Assert.Equal(plan.KeyValueBytes(20) / 2, plan.KeyValueBytes(20, bytesPerValue: 2));
    }

    [Theory]
    [InlineData(32, 4096, 60, 333.4)]
    [InlineData(40, 5120, 512, 891.3)]
    public void CacheMegabytesOfLlavaAreThoseThatFiCoCoPublishes(int layers, int hidden, int textTokens, double megabytes)
    {
        // 2 L d bytes n, in half precision: 636 and 1,088 rows.
        ModelGeometry geometry = Llava with { Text = Llava.Text with { Layers = layers, Hidden = hidden, Heads = hidden / 128, KeyValueHeads = hidden / 128, HeadDim = 128 } };
        long bytes = Plan(geometry).KeyValueBytes(textTokens, bytesPerValue: 2);
        Assert.Equal(2L * layers * hidden * 2 * (576 + textTokens), bytes);
        Assert.Equal(megabytes, bytes / 1e6, 0.05);
    }

    [Fact]
    public void TheTableIsThePlan() => Assert.Equal(
        """
        layers   visual   what happens
           0-1      144   dense
                          prune 144 -> 72 by last-query attention: FastV(K = 2, R = 0.5)
           2-4       72   dense
           5-7       72   frozen: read by attention, not updated
             8       72   dense
                          exit 72 -> 0: ExitVisual(AfterLayer = 8)
             9        0   text only

        Visual rows computed: 576 of 1,440 (40.0 %); 216 more are read while frozen.
        Prefill with 64 text tokens: 1.149 of 2.019 GFLOPs (56.9 %, convention C); KV cache in fp32: 1.0 of 1.5 MiB (68.8 %).

        """.ReplaceLineEndings("\n"),
        Plan(Shapes, FastV(2, 0.5), ShortV(5, 6, 7), Exit(8)).ToString());

    [Fact]
    public void EqualPartsMakeEqualPlans()
    {
        ReductionPlan one = Plan(Shapes, FastV(2, 0.5), Freeze(5));
        ReductionPlan two = new(one.Geometry with { }, [.. one.Segments], [.. one.Steps]);
        Assert.Equal(one, two);
        Assert.Equal(one.GetHashCode(), two.GetHashCode());
        Assert.NotEqual(one, Plan(Shapes, FastV(2, 0.5), Freeze(6)));
        Assert.NotEqual(one, Plan(Of(11, 144), FastV(2, 0.5), Freeze(5)));
        Assert.False(one.Equals(null));
    }

    [Fact]
    public void PartsThatDoNotFitAreRejected()
    {
        Segment dense = new(0, 9, LayerMode.Dense, 144);
        Step exit = new(4, Score.None, Compress.Drop, 144, 0, "ExitVisual(AfterLayer = 4)");
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { LastLayer = 8 }], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { LastLayer = 10 }], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { VisualTokens = 143 }], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense], [exit]));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { LastLayer = 4 }, new(5, 9, LayerMode.Dense, 0)], []));
        Assert.Throws<ArgumentException>(() => new ReductionPlan(Shapes, [dense with { LastLayer = 4 }, new(5, 9, LayerMode.Dense, 200)], [exit with { TokensAfter = 200 }]));
        Assert.Throws<ArgumentNullException>(() => new ReductionPlan(null!, [dense], []));
        _ = new ReductionPlan(Shapes, [dense with { LastLayer = 4 }, new(5, 9, LayerMode.Dense, 0)], [exit]);
    }

    [Fact]
    public void LayersOutsideOfTheModelAreRejected()
    {
        ReductionPlan plan = Plan(Shapes);
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.VisualTokensAt(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.KindAt(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.RowsAt(10, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.Flops(FlopsConvention.A, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.KeyValueBytes(1, -4));
    }
}

using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Which text rows rate when some of them leave.</summary>
public sealed class TextRaterRowsTests
{
    [Fact]
    public void RatersMoveWithTheirRows()
    {
        TextRaterRows raters = Chosen();
        Assert.Equal([1, 3, 4], raters.Rows.ToArray());

        // Rows 0 and 3 leave; the kept ones are counted from 2 on, as if two registers stood before them.
        raters.Keep([3, 4, 6], first: 2);
        Assert.Equal([0, 2], raters.Rows.ToArray());
    }

    [Fact]
    public void IfAllRatersLeaveTheOthersRate()
    {
        TextRaterRows raters = Chosen();
        raters.Keep([0, 2], first: 0);
        Assert.Equal([0, 1], raters.Rows.ToArray());
    }

    [Fact]
    public void WithoutRatersNoneAreMade()
    {
        var raters = new TextRaterRows(ClipLlamaSparseVlm.Plan, 100);
        raters.Keep([0, 2], first: 0);
        Assert.Equal(0, raters.Count);
    }

    private static TextRaterRows Chosen()
    {
        ReductionPlan plan = ClipLlamaSparseVlm.Plan;
        var raters = new TextRaterRows(plan, 100);
        raters.Choose(visual: [1, 0], text: [0, 5, 3, 5, 0, 1, 3, 2, 3, 9], width: 2, new float[10]);
        return raters;
    }
}

using Espalier.Planning;

namespace Espalier.Tests;

public sealed class EquatableArrayTests
{
    [Fact]
    public void DefaultIsTheEmptyList()
    {
        EquatableArray<int> none = default;
        Assert.True(none.Count == 0);
        Assert.Empty(none);
        Assert.Equal(EquatableArray.Of<int>(), none);
        Assert.Equal(EquatableArray.Of<int>().GetHashCode(), none.GetHashCode());
        Assert.Equal("[]", none.ToString());
        foreach (int item in none)
        {
            Assert.Fail("An empty list has no item " + item);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => none[0]);
    }

    [Fact]
    public void EqualItemsMakeEqualLists()
    {
        EquatableArray<string> one = EquatableArray.Of("a", "b");
        EquatableArray<string> two = new List<string> { "a", "b" }.ToEquatableArray();
        Assert.True(one == two);
        Assert.False(one != two);
        Assert.True(one.Equals((object)two));
        Assert.Equal(one.GetHashCode(), two.GetHashCode());
    }

    [Fact]
    public void OrderLengthAndItemsMatter()
    {
        EquatableArray<int> one = EquatableArray.Of(1, 2);
        Assert.NotEqual(EquatableArray.Of(2, 1), one);
        Assert.NotEqual(EquatableArray.Of(1), one);
        Assert.NotEqual(EquatableArray.Of(1, 2, 3), one);
        Assert.NotEqual(default, one);
        Assert.False(one.Equals("[1, 2]"));
    }

    [Fact]
    public void NullItemsCompare()
    {
        Assert.Equal(EquatableArray.Of<string>(null!, "a"), EquatableArray.Of<string>(null!, "a"));
        Assert.NotEqual(EquatableArray.Of<string>(null!, "a"), EquatableArray.Of("a", null!));
    }

    [Fact]
    public void ItemsAreCopied()
    {
        int[] items = [1, 2];
        EquatableArray<int> list = new(items);
        items[0] = 9;
        Assert.Equal(1, list[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => list[2]);
        Assert.Throws<ArgumentOutOfRangeException>(() => list[-1]);
        Assert.Throws<ArgumentNullException>(() => new EquatableArray<int>(null!));
    }

    [Fact]
    public void RecordsThatHoldEqualListsAreEqual()
    {
        PolicyDeclaration one = new("ShortV", new LayersArgument("layers", EquatableArray.Of(1, 2)));
        PolicyDeclaration two = new("ShortV", new LayersArgument("layers", EquatableArray.Of(1, 2)));
        Assert.Equal(one, two);
        Assert.Equal(one.GetHashCode(), two.GetHashCode());
        Assert.NotEqual(one, two with { Name = "FreezeVisual" });
        Assert.NotEqual(one, new PolicyDeclaration("ShortV", new LayersArgument("layers", EquatableArray.Of(1, 3))));
        Assert.NotEqual<PolicyArgument>(new IntegerArgument("R", 1), new RealArgument("R", 1));
    }
}

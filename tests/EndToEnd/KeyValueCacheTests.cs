using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>No native call writes behind the rows that a layer of a KV cache has room for.</summary>
public sealed class KeyValueCacheTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ARowWithoutRoomIsRefusedBeforeTheRun(int layer)
    {
        ReductionPlan plan = ClipLlamaDense.Plan;
        using var cache = new KeyValueCache(plan, plan.ImagePositions + 4);
        int room = plan.VisualTokensAt(layer) + 4;
        cache.Announce(layer, room);
        cache.Advance(layer, room);
        var refused = Assert.Throws<InvalidOperationException>(() => cache.Announce(layer, 1));
        Assert.Contains($"Layer {layer} has room for {room} KV rows, but {room + 1} are needed", refused.Message, StringComparison.Ordinal);
    }
}

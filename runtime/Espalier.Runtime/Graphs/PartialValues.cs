using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>The values that a partial layer reads beside those of other kinds; null where its work needs none. See <see cref="GraphNames"/>.</summary>
internal readonly record struct PartialValues(string Sizes, string? VisualStart, string? BlockRows, string? BlockKeys, string? BlockMask, string? BlockSizes, string? Probes);

/// <summary>The heads in which visual rows attend.</summary>
internal static class VisualHeads
{
    /// <summary>The query heads that are left, ascending.</summary>
    public static int[] Kept(TextGeometry geometry, PartialWork work) => [.. Enumerable.Range(0, geometry.Heads).Where(head => !work.DroppedHeads.Contains(head))];

    /// <summary>Query heads that share a key head in the products of visual rows: as many as are left of each group, or 1 if groups differ, so that each query head has key heads of its own.</summary>
    /// <remarks>Allocates nothing.</remarks>
    public static int Group(TextGeometry geometry, PartialWork work) => AreGroupsAlike(geometry, work, out int left) ? left : 1;

    /// <summary>The key head of each query head that is left; null if these are all key heads, each with as many query heads.</summary>
    public static long[]? KeyHeads(TextGeometry geometry, PartialWork work)
    {
        int group = geometry.Heads / geometry.KeyValueHeads;
        return AreGroupsAlike(geometry, work, out _) ? null : [.. Kept(geometry, work).Select(head => (long)(head / group))];
    }

    /// <summary>True if each group of query heads that share a key head has as many left.</summary>
    private static bool AreGroupsAlike(TextGeometry geometry, PartialWork work, out int left)
    {
        int group = geometry.Heads / geometry.KeyValueHeads;
        left = group;
        for (int keyHead = 0; keyHead < geometry.KeyValueHeads; keyHead++)
        {
            int here = group;
            foreach (int head in work.DroppedHeads)
            {
                here -= head / group == keyHead ? 1 : 0;
            }

            if (keyHead > 0 && here != left)
            {
                return false;
            }

            left = here;
        }

        return true;
    }
}

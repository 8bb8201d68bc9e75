namespace Espalier.Tests;

/// <summary>What a device is told of how full the caches are.</summary>
internal static class CacheLengths
{
    /// <summary>Bytes that go up in a pass through all layers: a number where a layer holds another count of rows than the one before it.</summary>
    public static int BytesOf(Sequence sequence, int layers)
    {
        int numbers = 1;
        for (int layer = 1; layer < layers; layer++)
        {
            numbers += sequence.Pass.Cache.Length(layer) == sequence.Pass.Cache.Length(layer - 1) ? 0 : 1;
        }

        return numbers * sizeof(int);
    }
}

#pragma warning disable CS1591 // Not the public face of anything.
using System;
using System.Collections.Generic;

namespace Espalier;

public sealed class ImagePass
{
    private readonly List<string> _calls;
    private readonly int _all;
    private int _visualTokens;

    public int VisualTokens => _visualTokens;

    public ReadOnlySpan<float> TextRelevance => Ascending(_visualTokens);

    public ReadOnlySpan<float> Features => Ascending(3 * (_visualTokens + 1));

    public ImagePass(List<string> calls, int visualTokens)
    {
        _calls = calls;
        _all = visualTokens;
        _visualTokens = visualTokens;
    }

    // The values tell the kernels below how many tokens there are, and ascend.
    public ReadOnlySpan<float> ClsAttention => Ascending(_visualTokens);

    public ReadOnlySpan<float> Keys => Ascending(2 * _visualTokens);

    public ReadOnlySpan<float> Projected => Ascending(3 * _visualTokens);

    public void Inherited() { }

    public void RunTower() => _calls.Add("tower");

    public void RunScoredTower() => _calls.Add("scored tower");

    public ReadOnlySpan<float> TextScores => Ascending(_visualTokens);

    public void ScoreByText() => _calls.Add($"score {_visualTokens} by text");

    // The first row is the CLS token's.
    public ReadOnlySpan<float> AttentionMap => new float[(_visualTokens + 1) * (_visualTokens + 1)];

    public ReadOnlySpan<float> TowerKeys => new float[2 * (_visualTokens + 1)];

    public Span<float> Sizes => new float[_visualTokens + 1];

    public ReadOnlySpan<int> Tokens => new int[_visualTokens];

    public void EmbedPatches() => _calls.Add("patches");

    public void RunTowerLayers(int first, int last) => _calls.Add($"tower {first} to {last} over {_visualTokens}");

    public void RunMergedTowerLayers(int first, int last) => _calls.Add($"merged tower {first} to {last} over {_visualTokens}");

    public void LookAhead(int first, int last) => _calls.Add($"look ahead {first} to {last} over {_visualTokens}");

    public void RunTowerAttention(int layer) => _calls.Add($"attend {layer} over {_visualTokens}");

    public RowMerge BeginMerge(int leaving) => new(new int[_visualTokens - leaving]);

    public void MergeTower(RowMerge merge)
    {
        _calls.Add($"merge {_visualTokens} into {merge.Kept.Length} by {merge.Kept[0]}");
        _visualTokens = merge.Kept.Length;
    }

    public void RunTowerFeedForward(int layer) => _calls.Add($"feed forward {layer} over {_visualTokens}");

    public void Project() => _calls.Add($"project {_visualTokens}");

    public void Keep(ReadOnlySpan<int> kept)
    {
        _calls.Add($"keep {kept.Length} from {kept[0]}");
        _visualTokens = kept.Length;
    }

    public Span<float> Weights(int rows) => new float[rows * (_all + 1)];

    public void Merge(ReadOnlySpan<int> tokens)
    {
        _calls.Add($"merge {tokens.Length}, {-tokens[0]} contextual");
        _visualTokens = tokens.Length;
    }

    public Span<int> Kept(int count) => new int[count];

    public Span<float> Scratch(int count)
    {
        _calls.Add($"scratch {count}");
        return new float[count];
    }

    private static float[] Ascending(int count)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = i;
        }

        return values;
    }
}

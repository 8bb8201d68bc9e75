using BenchmarkDotNet.Attributes;

namespace Espalier.Benchmarks.Kernels;

/// <summary>What the host computes between two layers: which visual tokens stay, which become one.</summary>
/// <remarks>Random rows, as wide as LLaVA-1.5's features; 576 tokens are those of LLaVA-1.5, 729 those of OneVision. A kernel has to vanish beside a layer, which takes tens of milliseconds.</remarks>
[MemoryDiagnoser]
public class ReductionKernels
{
    private const int Width = 1024;
    private const int KeyWidth = 64;

    private float[] _scores = [];
    private float[] _sorted = [];
    private float[] _spare = [];
    private float[] _features = [];
    private float[] _keys = [];
    private float[] _sizes = [];
    private float[] _scratch = [];
    private float[] _own = [];
    private float[] _shares = [];
    private int[] _half = [];
    private int[] _few = [];
    private int[] _mergedInto = [];
    private int[] _absorbed = [];

    /// <summary>Visual tokens.</summary>
    [Params(576, 729)]
    public int Tokens { get; set; }

    /// <summary>Random numbers.</summary>
    [GlobalSetup]
    public void Fill()
    {
        var random = new Random(1);
        _scores = Numbers(Tokens);
        _sorted = new float[Tokens];
        _spare = new float[Tokens];
        _features = Numbers(Tokens * Width);
        _keys = Numbers(Tokens * KeyWidth);
        _sizes = [.. Enumerable.Repeat(1f, Tokens)];
        _scratch = new float[(Tokens * Tokens) + (8 * Tokens) + Width];
        _half = new int[Tokens / 2];
        _few = new int[64];

        // ToMe's r of 8 % of the tokens.
        int merged = Tokens / 12;
        _absorbed = new int[merged];
        _mergedInto = new int[Tokens - merged];
        _own = new float[Tokens - merged];
        _shares = new float[(Tokens - merged) * merged];

        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    /// <summary>The half with the highest scores.</summary>
    [Benchmark(Description = "top half by score")]
    public void TopK() => TokenSelection.TopK(_scores, _half);

    /// <summary>Sorted scores and three quantiles.</summary>
    [Benchmark(Description = "quartiles")]
    public int Quantiles() => QuartileOutliers.Count(_scores, _scratch);

    /// <summary>Where sorted scores bend.</summary>
    [Benchmark(Description = "inflection of sorted scores")]
    public int Bend() => Inflection.Count(_scores, InflectionCut.SecondDifference, window: 5, _scratch);

    /// <summary>The 64 that lie farthest apart.</summary>
    [Benchmark(Description = "DivPrune, 64 stay")]
    public void Divide() => DivPrune.Select(_features, Tokens, _scratch, _few);

    /// <summary>The 64 of the largest determinant.</summary>
    [Benchmark(Description = "CDPruner, 64 stay")]
    public void Determine() => CDPruner.Select(_features, Tokens, _features.AsSpan(0, Tokens), _scratch, _few);

    /// <summary>Matching and weights of a merge.</summary>
    [Benchmark(Description = "ToMe, one layer")]
    public void Merge()
    {
        _own.AsSpan().Fill(1);
        _shares.AsSpan().Clear();
        _sizes.AsSpan().Fill(1);
        ToMe.Select(_keys, _sizes, _scratch, new RowMerge(_mergedInto, _absorbed, _own, _shares));
    }
}

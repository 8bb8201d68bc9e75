namespace Espalier;

/// <content>A vision tower inside which tokens leave: patches, runs of whole layers, and layers that are halved for a step between attention and feed-forward.</content>
public sealed partial class ImagePass
{
    private readonly SectionedTower? _sections;
    private int _towerLayer;

    /// <summary>The patch of the image that each visual token is, or is the largest part of.</summary>
    public ReadOnlySpan<int> Tokens => _map.Tokens;

    /// <summary>What the attention of a tower layer handed out of all pairs of rows, mean over heads: products before the softmax or the attention, as the plan says; <c>[rows, rows]</c>, CLS first. Only behind <see cref="RunTowerAttention"/>.</summary>
    public ReadOnlySpan<float> AttentionMap => Attended("the attention map", static layer => layer.Map);

    /// <summary>The keys of all rows in a tower layer, mean over heads, <c>[rows, headDim]</c>, CLS first. Only behind <see cref="RunTowerAttention"/>.</summary>
    public ReadOnlySpan<float> TowerKeys => Attended("the keys of a tower layer", static layer => layer.Keys);

    /// <summary>The patches that each row stands for, CLS first; a kernel that changes them writes what they are behind the merge. Only behind <see cref="RunTowerAttention"/>.</summary>
    public Span<float> Sizes
    {
        get
        {
            Require(_phase == ImagePhase.Attended, "the sizes are there behind the attention of a tower layer");
            return _sections!.Sizes(_map.Count);
        }
    }

    /// <summary>Makes rows of the pixels, with their positions and the CLS row. The tower of a plan that reduces inside of it begins so.</summary>
    public void EmbedPatches()
    {
        Require(_phase == ImagePhase.Pixels && _sections is not null, "the patches are embedded first, if the plan reduces inside the tower");
        _cancellation.ThrowIfCancellationRequested();
        _sections.Embed();
        _towerLayer = 0;
        _phase = ImagePhase.Tower;
    }

    /// <summary>Runs whole tower layers.</summary>
    /// <param name="first">First zero-based layer.</param>
    /// <param name="last">Last layer; the next one reduces, or there is none.</param>
    public void RunTowerLayers(int first, int last)
    {
        Require(IsNext(first, last, isMerged: false), "tower layers run in order, whole up to the next one that does not");
        _cancellation.ThrowIfCancellationRequested();
        _sections!.RunWhole(first);
        EndLayers(last);
    }

    /// <summary>Runs tower layers on the rows that static matrices make; all visual tokens are there again behind each.</summary>
    /// <param name="first">First zero-based layer.</param>
    /// <param name="last">Last layer; the next one runs whole, or reduces, or there is none.</param>
    public void RunMergedTowerLayers(int first, int last)
    {
        Require(IsNext(first, last, isMerged: true), "tower layers run in order, on fewer rows where the plan says so");
        _cancellation.ThrowIfCancellationRequested();
        _sections!.RunWhole(first);
        EndLayers(last);
    }

    /// <summary>Runs tower layers ahead, of the last of them only what its attention needs, for <see cref="ClsAttention"/>; the rows stay as they are before the first.</summary>
    /// <param name="first">Zero-based layer before which the plan reduces.</param>
    /// <param name="last">The layer whose attention is read.</param>
    public void LookAhead(int first, int last)
    {
        Require(_phase == ImagePhase.Tower && first == _towerLayer && _sections!.Reduced(first) is { LayersAhead: > 0 and var layers } && last == first + layers - 1, "layers run ahead where the plan reduces before a layer, and as many as it says");
        _cancellation.ThrowIfCancellationRequested();
        _sections.Attend(_sections.Reduced(first)!);
        _phase = ImagePhase.Attended;
    }

    /// <summary>Runs a tower layer up to the residual behind its attention.</summary>
    /// <param name="layer">Zero-based layer in which the plan reduces.</param>
    public void RunTowerAttention(int layer)
    {
        Require(_phase == ImagePhase.Tower && layer == _towerLayer && _sections!.Reduced(layer) is { FeedForward: not null }, "tower layers run in order, halved where the plan reduces");
        _cancellation.ThrowIfCancellationRequested();
        _sections.Attend(_sections.Reduced(layer)!);
        _phase = ImagePhase.Attended;
    }

    /// <summary>Memory for what a kernel makes of the rows: all zero, but for what each row takes of itself, which is 1. Owned by the pass and valid until the next call.</summary>
    /// <param name="leaving">Tokens that leave in this layer.</param>
    public RowMerge BeginMerge(int leaving)
    {
        Require(_phase == ImagePhase.Attended && _sections!.Reduced(_towerLayer)!.Leaving == leaving, "as many tokens leave a tower layer as the plan says");
        return _sections.BeginMerge(_sections.Reduced(_towerLayer)!);
    }

    /// <summary>Merges the rows; those that leave are gone before the feed-forward layer runs. The CLS row stays the first.</summary>
    /// <param name="merge">What <see cref="BeginMerge"/> handed out, filled.</param>
    /// <exception cref="ArgumentException">A row is named twice, or there is no such row.</exception>
    public void MergeTower(RowMerge merge)
    {
        Require(_phase == ImagePhase.Attended && _sections!.Owns(merge), "rows are merged behind the attention of a tower layer, by what BeginMerge handed out");
        ReducedTowerLayer layer = _sections.Reduced(_towerLayer)!;
        _map.MergeInTower(merge, layer.EndsStep);
        _sections.Absorb(layer);
        _phase = ImagePhase.MergedInTower;
    }

    /// <summary>Runs the feed-forward layer of a tower layer on the rows that are left.</summary>
    /// <param name="layer">The layer whose attention ran.</param>
    public void RunTowerFeedForward(int layer)
    {
        Require(_phase == ImagePhase.MergedInTower && layer == _towerLayer && _sections!.Reduced(layer)!.FeedForward is not null, "the feed-forward layer runs behind the merge");
        _sections.RunFeedForward(layer);
        EndLayers(layer);
    }

    private void EndLayers(int last)
    {
        _towerLayer = last + 1;
        _phase = _towerLayer < _plan.Geometry.Vision.FeatureLayers ? ImagePhase.Tower : _output is null ? ImagePhase.Reduced : ImagePhase.Encoded;
    }

    /// <summary>True if these layers are the next: behind others, or behind the merge before them.</summary>
    private bool IsNext(int first, int last, bool isMerged) =>
        first == _towerLayer && _sections?.WholeFrom(first) is { } run && run.LastLayer == last && run.MergedInto > 0 == isMerged
        && _phase == (_sections.Reduced(first) is null ? ImagePhase.Tower : ImagePhase.MergedInTower);

    private ReadOnlySpan<float> Attended(string what, Func<ReducedTowerLayer, DeviceTensor?> value)
    {
        if (_phase != ImagePhase.Attended || value(_sections!.Reduced(_towerLayer)!) is not { } read)
        {
            ThrowOrder(what + " is there behind the attention of a tower layer, if the plan reads it");
            return default;
        }

        return read.Read<float>();
    }
}

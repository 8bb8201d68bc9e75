namespace Espalier.Graphs;

/// <summary>The names of the inputs and outputs of our graphs, which the sessions bind.</summary>
/// <remarks>In the shapes below H is the width of a token, b sequences (1 but for the decode steps of a batch), Hkv the key and value heads, D the width of a head, n, s, v and m counts of rows that may differ from run to run, cap the rows that a KV cache has room for.</remarks>
internal static class GraphNames
{
    /// <summary>The hidden rows that a graph reads, f32 [b, n, H].</summary>
    public const string X = "x";

    /// <summary>The hidden rows that a graph writes, f32 [b, n, H].</summary>
    public const string Y = "y";

    /// <summary>The hidden rows as a feed-forward layer reads them, between the halves of a decode step, f32 [1, n, H].</summary>
    public const string Normed = "normed";

    /// <summary>The position of each row of <see cref="X"/>, i64 [b, n]; any values below MaxPositions, ascending.</summary>
    public const string Positions = "positions";

    /// <summary>The KV cache before the run, f32 [b, Hkv, cap, D].</summary>
    public const string PastKey = "past_key";

    /// <inheritdoc cref="PastKey"/>
    public const string PastValue = "past_value";

    /// <summary>The KV cache after the run, bound to the buffer of <see cref="PastKey"/>.</summary>
    public const string PresentKey = "present_key";

    /// <summary>The KV cache after the run, bound to the buffer of <see cref="PastValue"/>.</summary>
    public const string PresentValue = "present_value";

    /// <summary>The index of the last cache row in use after the run, i32 [b]: rows before the run + new rows − 1.</summary>
    public const string LastRow = "seqlens_k";

    /// <summary>The capacity of the cache, i32 [1], in host memory.</summary>
    public const string Total = "total";

    /// <summary>Scored kinds: the cache rows in use after the run, i64 [1], in host memory; one more than <see cref="LastRow"/>.</summary>
    public const string KeyRows = "key_rows";

    /// <summary>Text-scored and rater-scored kinds: the text rows behind the image, which are the last rows of <see cref="X"/>; the page-ranked kind: all rows of it; i64 [1], in host memory; at least 1.</summary>
    public const string QueryRows = "query_rows";

    /// <summary>Rater-scored kinds: which of those text rows are raters, i64 [r]; ascending, from 0 on.</summary>
    public const string Raters = "raters";

    /// <summary>Scored kinds: the attention that the last row, or on average the text rows behind the image, pays to each cache row, mean over heads, f32 [key_rows]; the page-ranked kind: the importance of each row of <see cref="X"/>, f32 [n]; the key-normed kinds: the L1 norm of each key, f32 [key_rows].</summary>
    public const string Score = "score";

    /// <summary>Frozen kinds and <see cref="RowGraphs"/>: the visual rows, f32 [1, v, H].</summary>
    public const string Visual = "visual";

    /// <summary>Frozen kinds, and partial ones whose visual rows attend apart on WebGPU: the position of each visual row, i64 [1, v].</summary>
    public const string VisualPositions = "visual_positions";

    /// <summary>Partial kinds whose visual rows attend apart, on WebGPU: the position of each row behind the visual ones, i64 [1, s].</summary>
    public const string TextPositions = "text_positions";

    /// <summary>Frozen kinds, and partial ones whose visual rows attend apart: the cache row of the first visual row, i64 [1].</summary>
    public const string VisualStart = "visual_start";

    /// <summary>The same kinds on WebGPU: the cache row behind the last visual row, i64 [1], in host memory, as <see cref="VisualStart"/> is there.</summary>
    public const string VisualEnd = "visual_end";

    /// <summary>What a layer would attend to, on WebGPU: the position of the last row, i64 [1, 1].</summary>
    public const string LastPosition = "last_position";

    /// <summary>Frozen kinds: the cache with the visual rows written, an output bound to the buffer of <see cref="PastKey"/>.</summary>
    public const string ScatteredKey = "scattered_key";

    /// <summary>Frozen kinds: the cache with the visual rows written, an output bound to the buffer of <see cref="PastValue"/>.</summary>
    public const string ScatteredValue = "scattered_value";

    /// <summary><see cref="RowGraphs"/>: the text rows, f32 [1, s, H].</summary>
    public const string Text = "text";

    /// <summary><see cref="RowGraphs"/>: the indices of the rows to keep, hidden ones or those of a cache; a gate: of those that it averages; i64 [m].</summary>
    public const string Rows = "rows";

    /// <summary><see cref="RowGraphs"/>: the keys of a prefix, f32 [1, Hkv, p, D].</summary>
    public const string PrefixKey = "prefix_key";

    /// <summary><see cref="RowGraphs"/>: the values of a prefix, f32 [1, Hkv, p, D].</summary>
    public const string PrefixValue = "prefix_value";

    /// <summary><see cref="RowGraphs"/>: how many rows of a cache stay, or are those of a prefix, i64 [1], in host memory.</summary>
    public const string Kept = "kept";

    /// <summary>Partial kinds: the visual rows whose attention is computed together, block by block, i64 [b, B]; what fills up the last block is any row.</summary>
    public const string BlockRows = "block_rows";

    /// <summary>Partial kinds: the visual rows that a block reads, i64 [b, w]; what fills up a block is any row.</summary>
    public const string BlockKeys = "block_keys";

    /// <summary>Partial kinds: 0 where a row of a block reads a key, else minus infinity, f32 [b, g · B, w], where g query heads share a key head.</summary>
    public const string BlockMask = "block_mask";

    /// <summary>Partial kinds: the cache rows before the visual rows, and w, i64 [2], in host memory.</summary>
    public const string BlockSizes = "block_sizes";

    /// <summary>Partial kinds: the visual rows that say which neurons are used, i64 [p].</summary>
    public const string Probes = "probes";

    /// <summary><see cref="RowGraphs"/> and partial kinds: the counts of visual and of text rows, i64 [2], in host memory; they add up to n.</summary>
    public const string Sizes = "sizes";

    /// <summary>A gate: what speaks for staying and for leaving, f32 [1, 1, 2].</summary>
    public const string Gate = "gate";

    /// <summary>The head and gates: the row that is projected, or the last one, i64 [1].</summary>
    public const string Row = "row";

    /// <summary>The head: the scores of all tokens, f32 [b, 1, Vocabulary].</summary>
    public const string Logits = "logits";

    /// <summary>The vision tower: normalised pixels, f32 [1, 3, ImageSize, ImageSize].</summary>
    public const string Pixels = "pixels";

    /// <summary>The vision tower and the projector: features, f32 [1, v, Hv], where Hv is the tower's width.</summary>
    public const string Features = "features";

    /// <summary>The scored vision tower: the attention that the CLS row pays to each patch, mean over heads, summed over layers, f32 [Patches].</summary>
    public const string ClsAttention = "cls_attention";

    /// <summary>The scored vision tower: the keys of the patches in the feature layer, mean over heads, f32 [Patches, D].</summary>
    public const string Keys = "keys";

    /// <summary>The attention half of a tower layer: products or attention, mean over heads, f32 [n, n]; the halved kind of a decoder layer: the products of its rows' queries with every cache row in use, f32 [1, n, key_rows];
    /// rater-scored kinds: the attention that the raters pay to each cache row in use, head by head, f32 [1, heads · r, key_rows].</summary>
    public const string Map = "map";

    /// <summary>The attention half of a tower layer: the logarithm of the patches that each row stands for, f32 [n].</summary>
    public const string LogSizes = "log_sizes";

    /// <summary><see cref="RowGraphs"/>: the indices of the rows that others take in, i64 [r].</summary>
    public const string Absorbed = "absorbed";

    /// <summary><see cref="RowGraphs"/>: what each row that stays takes of itself, f32 [1, m, 1].</summary>
    public const string Own = "own";

    /// <summary><see cref="RowGraphs"/>: what each row that stays takes of each row that leaves, f32 [1, m, r].</summary>
    public const string Shares = "shares";

    /// <summary><see cref="RowGraphs"/>: what each merged row takes of each row, f32 [1, m, n].</summary>
    public const string Weights = "weights";
}

using Espalier.Planning;

namespace Espalier;

// Raters: text rows behind the image that resemble it, and what they attend to (SparseVLM, arXiv 2410.04417).
public sealed partial class ForwardPass
{
    private int _ratedLayer;
    private int _ratedTokens;
    private int _ratedPrefix;

    /// <summary>The attention of the raters in the layer that ran last, head by head. Only behind a rater-scored layer, before its step.</summary>
    public RaterAttention RaterAttention
    {
        get
        {
            Require(_phase == PassPhase.Prefill && _raters.Count > 0 && _ratedLayer == _nextLayer - 1 && _ratedTokens == _map.Count, "the raters' attention is there behind a layer that hands it out");
            return _raters.Attention(_readings.Map, _plan.Geometry.Text.Heads, _ratedPrefix, _rows.VisualPositions(_map.Count), _rows.TextPositions(_map.Count)[_plan.Registers..]);
        }
    }

    /// <summary>The rank of <see cref="RaterAttention"/>, mean over heads: a row a rater, a column a visual row. Computed anew by each call.</summary>
    public int RaterRank
    {
        get
        {
            Require(_plan.AsksRaterRank, "the plan asks for no rank");
            return _raters.Rank(RaterAttention);
        }
    }

    /// <summary>Chooses the raters, from the rows that enter the decoder: before its first layer and its first step.</summary>
    public void ChooseRaters()
    {
        Require(_phase == PassPhase.Prefill && _plan.AsksRaters && _nextLayer == 0 && _map.Count == _map.Entered && _raters.Count == 0, "raters are chosen once, from the rows that enter the decoder");
        int textRows = _suffixRows - _plan.Registers;
        int width = _rows.Width;

        // The text first: all rows come from the device at once then, and the visual ones among them.
        ReadOnlySpan<float> text = _rows.TextRows(_map.Count)[(_plan.Registers * width)..];
        _raters.Choose(_rows.VisualRows(_map.Count), text, width, Scratch(2 * textRows));
        _readings.ReserveRaters(textRows, _plan.Geometry.Text.Heads, _cache.Length(0) + _plan.DecoderVisualTokens + _suffixRows);
        _ratedLayer = -1;
    }

    /// <summary>As <see cref="RunDense"/>, and reads the softmax attention that the raters pay to each visual row, mean over raters and heads; head by head it is in <see cref="RaterAttention"/>.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one score a visual row; its length is <see cref="VisualTokens"/>.</param>
    public void RunRaterScored(int layer, Span<float> scores) => RunRaters(layer, LayerKind.RaterScored, scores);

    /// <summary>As <see cref="RunFrozen"/>, and reads the attention of the raters as <see cref="RunRaterScored"/> does.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="scores">Receives one score a visual row.</param>
    public void RunFrozenRaterScored(int layer, Span<float> scores) => RunRaters(layer, LayerKind.FrozenRaterScored, scores);

    private void RunRaters(int layer, LayerKind kind, Span<float> scores)
    {
        Enter(PassPhase.Prefill, layer);
        Require(_raters.Count > 0, "raters are chosen before they rate");
        Require(scores.Length == _map.Count, "one score a visual token is read");
        LayerBinding binding = _bindings.Reduced(layer, kind);
        _ratedPrefix = _cache.Length(layer);
        _ratedTokens = _map.Count;
        _readings.BindRaters(binding, _raters.Rows, _suffixRows - _plan.Registers, _plan.Geometry.Text.Heads, _ratedPrefix + _map.Count + _suffixRows);
        if (kind.IsFrozen())
        {
            RunFrozenRows(layer, binding);
        }
        else
        {
            RunRows(layer, binding);
        }

        _readings.ReadMap();
        _ratedLayer = layer;
        _textScores = 0;
        RaterAttention.Mean(scores);
    }
}

using System.Numerics.Tensors;
using Espalier.Planning;

namespace Espalier;

// A layer that is watched: what a calibration asks for, and no declared loop.
public sealed partial class ForwardPass
{
    /// <summary>As <see cref="RunDense"/>, over a session of the kind <see cref="LayerKind.RaterScored"/>: reads what the text rows behind the image pay to visual tokens and to text, head by head, added up over these rows.</summary>
    /// <param name="layer">Zero-based decoder layer; the next one in order.</param>
    /// <param name="watched">The session with this pass's cache bound to it.</param>
    /// <param name="visual">Receives one sum a query head: the attention to the visual rows.</param>
    /// <param name="text">Receives one sum a query head: the attention to the text before and behind the image.</param>
    internal void RunWatched(int layer, LayerBinding watched, Span<double> visual, Span<double> text)
    {
        int heads = _plan.Geometry.Text.Heads;
        Require(visual.Length == heads && text.Length == heads, "one sum a head is read");
        Enter(PassPhase.Prefill, layer);
        int prefixRows = _cache.Length(layer);
        int keyRows = prefixRows + _map.Count + _suffixRows;
        int[] all = [.. Enumerable.Range(0, _suffixRows)];
        _readings.BindRaters(watched, all, _suffixRows, heads, keyRows);
        RunRows(layer, watched);
        _readings.ReadMap();
        visual.Clear();
        text.Clear();
        for (int head = 0; head < heads; head++)
        {
            for (int row = 0; row < _suffixRows; row++)
            {
                ReadOnlySpan<float> paid = _readings.Map.Slice(((head * _suffixRows) + row) * keyRows, keyRows);
                visual[head] += TensorPrimitives.Sum(paid.Slice(prefixRows, _map.Count));
                text[head] += TensorPrimitives.Sum(paid[..prefixRows]) + TensorPrimitives.Sum(paid[(prefixRows + _map.Count)..]);
            }
        }
    }
}

using System.Text.Json;
using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>Runs the layers' graphs as a policy of the goldens says: prune by score, freeze, exit.</summary>
internal sealed class GoldenDecoder : IDisposable
{
    private readonly TextGeometry _geometry;
    private readonly Dictionary<(int Layer, LayerKind Kind), LayerBench> _layers = [];
    private readonly TestCache[] _caches;
    private readonly GraphSession _head;
    private readonly CheckpointWeights _weights;
    private readonly int _pruneAt = -1;
    private readonly int _keep;
    private readonly int _exitAt = -1;
    private readonly HashSet<int> _frozen;
    private int _position;

    public GoldenDecoder(Checkpoint checkpoint, JsonElement policy)
    {
        _geometry = checkpoint.Geometry.Text;
        _weights = new CheckpointWeights(checkpoint);
        _head = new GraphSession(HeadGraph.Build(_geometry, checkpoint.HeadTensorName, LinearFormat.Float32), _weights);
        _caches = [.. Enumerable.Range(0, _geometry.Layers).Select(_ => new TestCache(_geometry, 96))];
        if (policy.GetProperty("fastv") is { ValueKind: JsonValueKind.Object } fastv)
        {
            (_pruneAt, _keep) = (fastv.GetProperty("K").GetInt32(), fastv.GetProperty("keep").GetInt32());
        }

        if (policy.GetProperty("vtw") is { ValueKind: JsonValueKind.Number } vtw)
        {
            _exitAt = vtw.GetInt32();
        }

        _frozen = [.. policy.GetProperty("shortv").EnumerateArray().Select(layer => layer.GetInt32())];
    }

    public IEnumerable<int> CacheRows => _caches.Select(cache => cache.Rows);

    public double[]? Scores { get; private set; }

    public int[]? Kept { get; private set; }

    public void Dispose()
    {
        _head.Dispose();
        foreach (var layer in _layers.Values)
        {
            layer.Dispose();
        }

        foreach (var cache in _caches)
        {
            cache.Dispose();
        }
    }

    /// <summary>Runs the prompt and returns the logits of its last row.</summary>
    public double[] Prefill(double[][] prefix, double[][] visual, double[][] text)
    {
        long[] visualPositions = Positions(prefix.Length, visual.Length);
        long[] textPositions = Positions(prefix.Length + visual.Length, text.Length);
        _position = prefix.Length + visual.Length + text.Length;
        double[] score = [];
        for (int layer = 0; layer < _geometry.Layers; layer++)
        {
            if (layer == _pruneAt)
            {
                Scores = score[prefix.Length..(prefix.Length + visual.Length)];
                Kept = [.. Enumerable.Range(0, visual.Length).OrderByDescending(index => Scores[index]).ThenBy(index => index).Take(_keep).Order()];
                visual = Array.ConvertAll(Kept, index => visual[index]);
                visualPositions = Array.ConvertAll(Kept, index => visualPositions[index]);
            }

            if (layer == _exitAt)
            {
                (visual, visualPositions) = ([], []);
            }

            prefix = Rows(Layer(layer, LayerKind.Dense).Run(prefix, Positions(0, prefix.Length), _caches[layer]));
            bool scored = layer + 1 == _pruneAt;
            float[] last;
            if (visual.Length > 0 && _frozen.Contains(layer))
            {
                text = Rows(Layer(layer, scored ? LayerKind.FrozenScored : LayerKind.Frozen).Run(visual, visualPositions, text, textPositions, _caches[layer], out last));
            }
            else
            {
                var rows = Rows(Layer(layer, scored ? LayerKind.Scored : LayerKind.Dense).Run([.. visual, .. text], [.. visualPositions, .. textPositions], _caches[layer], out last));
                (visual, text) = (rows[..visual.Length], rows[visual.Length..]);
            }

            score = Reference.ToDoubles(last);
        }

        return Logits(text);
    }

    /// <summary>Feeds one token behind the prompt.</summary>
    public double[] Step(double[][] row)
    {
        for (int layer = 0; layer < _geometry.Layers; layer++)
        {
            row = Rows(Layer(layer, LayerKind.Dense).Run(row, [_position], _caches[layer]));
        }

        _position++;
        return Logits(row);
    }

    private double[] Logits(double[][] rows)
    {
        using var x = NativeTensor.Of(Reference.Flatten(rows), 1, rows.Length, _geometry.Hidden);
        using var row = NativeTensor.Of([(long)rows.Length - 1], 1);
        using var logits = NativeTensor.Empty(1, 1, _geometry.Vocabulary);
        _head.Run([(GraphNames.X, x), (GraphNames.Row, row)], [(GraphNames.Logits, logits)]);
        return Reference.ToDoubles(logits.Floats.ToArray());
    }

    private LayerBench Layer(int layer, LayerKind kind)
    {
        if (!_layers.TryGetValue((layer, kind), out var bench))
        {
            _layers.Add((layer, kind), bench = new LayerBench(_geometry, layer, kind, _weights));
        }

        return bench;
    }

    private double[][] Rows(float[] elements) => [.. elements.Chunk(_geometry.Hidden).Select(Reference.ToDoubles)];

    private static long[] Positions(int first, int count) => [.. Enumerable.Range(first, count).Select(position => (long)position)];
}

using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the vision tower with what reductions at its output read: <c>pixels</c> → <c>features</c> [1, Tokens, Hidden] with the CLS row, <c>cls_attention</c> [Patches], <c>keys</c> [Patches, HeadDim], or [Patches, Hidden] where they come in full width.</summary>
/// <remarks>CLS attention costs one query row a layer, received attention the whole map of one layer. The keys are those of the layer whose output the features are, in full width those of the scored layer.</remarks>
internal static class ScoredVisionGraph
{
    /// <summary>Builds the graph.</summary>
    /// <param name="geometry">The tower; with a CLS token, unless the patches' received attention is asked for.</param>
    /// <param name="scores">The layers whose attention is summed.</param>
    /// <param name="format">The number format of the linear layers.</param>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    /// <exception cref="ArgumentException">The tower has no CLS token where one is needed, or a layer does not run.</exception>
    public static GraphModel Build(VisionGeometry geometry, TowerScores scores, LinearFormat format)
    {
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);
        bool needsCls = scores.Attention != TowerAttention.Received;
        int layers = scores.Attention == TowerAttention.FullWidthCls ? geometry.Layers : geometry.FeatureLayers;
        if ((needsCls && !geometry.HasCls) || scores.FirstLayer < 0 || scores.FirstLayer > scores.LastLayer || scores.LastLayer >= layers || geometry.FeatureLayers == 0)
        {
            throw new ArgumentException($"The attention of tower layers {scores.FirstLayer} to {scores.LastLayer} cannot be read: the tower runs {layers} layers and {(geometry.HasCls ? "has" : "lacks")} a CLS token.", nameof(scores));
        }

        var graph = new GraphBuilder("vision.scored");
        var tower = new VisionTower(graph, geometry, format);
        string pixels = graph.Input(GraphNames.Pixels, OrtElementType.Float, 1, 3, geometry.ImageSize, geometry.ImageSize);
        string x = tower.Layers(tower.Embed(pixels), 0, geometry.FeatureLayers - 1);
        (string attention, string keys) = scores.Attention switch
        {
            TowerAttention.FullWidthCls => FullWidth(graph, geometry, tower, x, scores.LastLayer),
            TowerAttention.Received => (tower.ReceivedAttention(scores.LastLayer), tower.Keys(geometry.FeatureLayers - 1)),
            _ => (tower.ClsAttention(scores), tower.Keys(geometry.FeatureLayers - 1)),
        };
        graph.Output(GraphNames.Features, x, OrtElementType.Float, 1, geometry.Tokens, geometry.Hidden);
        graph.Output(GraphNames.ClsAttention, attention, OrtElementType.Float, geometry.Patches);
        graph.Output(GraphNames.Keys, keys, OrtElementType.Float, geometry.Patches, KeyWidth(geometry, scores));
        return graph.Build();
    }

    /// <summary>Numbers of a key that comes out.</summary>
    public static int KeyWidth(VisionGeometry geometry, TowerScores scores) => scores.Attention == TowerAttention.FullWidthCls ? geometry.Hidden : geometry.HeadDim;

    private static (string Attention, string Keys) FullWidth(GraphBuilder graph, VisionGeometry geometry, VisionTower tower, string x, int layer)
    {
        if (layer >= geometry.FeatureLayers)
        {
            // Behind the features layers run for the scores alone, the last of them up to its queries and keys; in single precision, as no other format stores them.
            var beyond = new VisionTower(graph, geometry, LinearFormat.Float32);
            beyond.QueriesAndKeys(beyond.Layers(x, geometry.FeatureLayers, layer - 1), layer);
        }

        return (tower.FullWidthClsAttention(layer), tower.FullWidthKeys(layer));
    }
}

using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the vision tower with what reductions at its output read: <c>pixels</c> → <c>features</c> [1, Tokens, Hidden] with the CLS row, <c>cls_attention</c> [Patches], <c>keys</c> [Patches, HeadDim].</summary>
/// <remarks>The scores cost one query row a layer. The keys are those of the layer whose output the features are.</remarks>
internal static class ScoredVisionGraph
{
    /// <summary>Builds the graph.</summary>
    /// <param name="geometry">A tower with a CLS token.</param>
    /// <param name="scores">The layers whose CLS attention is summed; they run for the features.</param>
    /// <param name="format">The number format of the linear layers.</param>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    /// <exception cref="ArgumentException">The tower has no CLS token, or a layer does not run.</exception>
    public static GraphModel Build(VisionGeometry geometry, TowerScores scores, LinearFormat format)
    {
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);
        if (!geometry.HasCls || scores.FirstLayer < 0 || scores.FirstLayer > scores.LastLayer || scores.LastLayer >= geometry.FeatureLayers)
        {
            throw new ArgumentException($"The CLS attention of tower layers {scores.FirstLayer} to {scores.LastLayer} cannot be read: the tower runs {geometry.FeatureLayers} layers and {(geometry.HasCls ? "has" : "lacks")} a CLS token.", nameof(scores));
        }

        var graph = new GraphBuilder("vision.scored");
        var tower = new VisionTower(graph, geometry, format);
        string pixels = graph.Input(GraphNames.Pixels, OrtElementType.Float, 1, 3, geometry.ImageSize, geometry.ImageSize);
        string x = tower.Layers(tower.Embed(pixels), 0, geometry.FeatureLayers - 1);
        graph.Output(GraphNames.Features, x, OrtElementType.Float, 1, geometry.Tokens, geometry.Hidden);
        graph.Output(GraphNames.ClsAttention, tower.ClsAttention(scores), OrtElementType.Float, geometry.Patches);
        graph.Output(GraphNames.Keys, tower.Keys(geometry.FeatureLayers - 1), OrtElementType.Float, geometry.Patches, geometry.HeadDim);
        return graph.Build();
    }
}

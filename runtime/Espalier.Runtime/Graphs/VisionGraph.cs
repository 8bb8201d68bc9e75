using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the vision tower as one graph: <c>pixels</c> [1, 3, ImageSize, ImageSize] → <c>features</c> [1, FeatureTokens, Hidden].</summary>
/// <remarks>Only the layers that the features need are run; what a checkpoint holds behind them is not read.</remarks>
internal static class VisionGraph
{
    /// <summary>Builds the graph.</summary>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    public static GraphModel Build(VisionGeometry geometry, LinearFormat format)
    {
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);
        var graph = new GraphBuilder("vision");
        var tower = new VisionTower(graph, geometry, format);
        string pixels = graph.Input(GraphNames.Pixels, OrtElementType.Float, 1, 3, geometry.ImageSize, geometry.ImageSize);
        string x = tower.Embed(pixels);
        x = tower.Layers(x, 0, geometry.FeatureLayers - 1);
        graph.Output(GraphNames.Features, tower.Features(x), OrtElementType.Float, 1, geometry.FeatureTokens, geometry.Hidden);
        return graph.Build();
    }
}

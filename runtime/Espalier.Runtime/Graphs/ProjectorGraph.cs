using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the projector, which makes visual tokens of features: <c>features</c> [1, v, Hv] → <c>y</c> [1, v, H].</summary>
internal static class ProjectorGraph
{
    /// <summary>Builds the graph: two biased linear layers with an activation between them.</summary>
    public static GraphModel Build(ModelGeometry geometry, LinearFormat format)
    {
        var (inner, width) = (geometry.Vision.Hidden, geometry.Text.Hidden);
        var graph = new GraphBuilder("projector");
        string features = graph.Input(GraphNames.Features, OrtElementType.Float, 1, "v", inner);
        string first = Linear("projector.linear_1", features, "linear_1", inner);
        string activated = graph.Activate("projector.activated", first, geometry.ProjectorActivation);
        graph.Output(GraphNames.Y, Linear("projector.linear_2", activated, "linear_2", width), OrtElementType.Float, 1, "v", width);
        return graph.Build();

        string Linear(string result, string input, string module, int inputWidth) =>
            format.Linear(graph, result, input, $"multi_modal_projector.{module}.weight", $"multi_modal_projector.{module}.bias", inputWidth, width);
    }
}

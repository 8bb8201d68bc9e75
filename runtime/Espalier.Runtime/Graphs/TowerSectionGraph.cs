using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Graphs;

/// <summary>Builds the parts of a vision tower that is cut where tokens leave inside of it. Rows are f32 [1, n, Hidden], the CLS row first if the tower has one; n differs from part to part.</summary>
internal static class TowerSectionGraph
{
    /// <summary>Patches and positions: <c>pixels</c> → <c>y</c>.</summary>
    /// <exception cref="UnsupportedGeometryException">No kernel can run these shapes.</exception>
    public static GraphModel Embed(VisionGeometry geometry, LinearFormat format)
    {
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);
        var graph = new GraphBuilder("vision.embed");
        string pixels = graph.Input(GraphNames.Pixels, OrtElementType.Float, 1, 3, geometry.ImageSize, geometry.ImageSize);
        graph.Output(GraphNames.Y, new VisionTower(graph, geometry, format).Embed(pixels), OrtElementType.Float, 1, geometry.Tokens, geometry.Hidden);
        return graph.Build();
    }

    /// <summary>Whole layers: <c>x</c> → <c>y</c>, or <c>features</c> without the CLS row if the last of them is the last that runs.</summary>
    public static GraphModel Layers(VisionGeometry geometry, TowerSection section, LinearFormat format)
    {
        Check(geometry, section);
        var graph = new GraphBuilder($"vision.layers.{section.FirstLayer}.to.{section.LastLayer}");
        var tower = new VisionTower(graph, geometry, format);
        Finish(graph, tower, geometry, section, tower.Layers(Rows(graph, geometry), section.FirstLayer, section.LastLayer));
        return graph.Build();
    }

    /// <summary>The same, each on fewer rows that a static matrix makes; behind it all patches come back.</summary>
    public static GraphModel MergedLayers(VisionGeometry geometry, TowerSection section, LinearFormat format)
    {
        Check(geometry, section);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(section.MergedInto);
        var graph = new GraphBuilder($"vision.layers.{section.FirstLayer}.to.{section.LastLayer}.merged");
        var tower = new VisionTower(graph, geometry, format);
        string x = Rows(graph, geometry);
        for (int layer = section.FirstLayer; layer <= section.LastLayer; layer++)
        {
            x = tower.MergedLayer(x, layer, section.MergedInto);
        }

        Finish(graph, tower, geometry, section, x);
        return graph.Build();
    }

    /// <summary>One layer up to the residual behind its attention: <c>x</c> → <c>y</c> and what is read, <c>map</c> [n, n] or <c>keys</c> [n, HeadDim]. A proportional one also takes <c>log_sizes</c> [n].</summary>
    public static GraphModel Attention(VisionGeometry geometry, TowerSection section, LinearFormat format)
    {
        Check(geometry, section);
        int layer = section.FirstLayer;
        var graph = new GraphBuilder($"vision.layers.{layer}.attention");
        var tower = new VisionTower(graph, geometry, format);
        string x = Rows(graph, geometry);
        string? logSizes = section.IsProportional ? graph.Input(GraphNames.LogSizes, OrtElementType.Float, "n") : null;
        bool logits = section.Reads.HasFlag(TowerReads.Logits);
        bool probabilities = section.Reads.HasFlag(TowerReads.Probabilities);
        string y = tower.Attention(x, layer, explicitly: logits || probabilities || section.IsProportional, logSizes);
        if (logits || probabilities)
        {
            graph.Output(GraphNames.Map, logits ? tower.Logits(layer) : tower.Probabilities(layer), OrtElementType.Float, "n", "n");
        }

        if (section.Reads.HasFlag(TowerReads.Keys))
        {
            graph.Output(GraphNames.Keys, tower.AllKeys(layer), OrtElementType.Float, "n", geometry.HeadDim);
        }

        graph.Output(GraphNames.Y, y, OrtElementType.Float, 1, "n", geometry.Hidden);
        return graph.Build();
    }

    /// <summary>What the CLS row pays to the other rows in one layer, of which only norm, queries and keys run: <c>x</c> → <c>cls_attention</c> [n - 1], mean over heads.</summary>
    public static GraphModel ClsAttention(VisionGeometry geometry, TowerSection section, LinearFormat format)
    {
        Check(geometry, section);
        int layer = section.FirstLayer;
        var graph = new GraphBuilder($"vision.layers.{layer}.cls_attention");
        var tower = new VisionTower(graph, geometry, format);
        tower.QueriesAndKeys(Rows(graph, geometry), layer);
        graph.Output(GraphNames.ClsAttention, tower.ClsAttention(layer), OrtElementType.Float, "patches");
        return graph.Build();
    }

    /// <summary>The rest of that layer: <c>x</c> → <c>y</c>, or <c>features</c> without the CLS row if it is the last that runs.</summary>
    public static GraphModel FeedForward(VisionGeometry geometry, TowerSection section, LinearFormat format)
    {
        Check(geometry, section);
        var graph = new GraphBuilder($"vision.layers.{section.FirstLayer}.feed_forward");
        var tower = new VisionTower(graph, geometry, format);
        Finish(graph, tower, geometry, section, tower.FeedForward(Rows(graph, geometry), section.FirstLayer));
        return graph.Build();
    }

    private static string Rows(GraphBuilder graph, VisionGeometry geometry) => graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", geometry.Hidden);

    private static void Finish(GraphBuilder graph, VisionTower tower, VisionGeometry geometry, TowerSection section, string y)
    {
        if (section.IsLast(geometry))
        {
            graph.Output(GraphNames.Features, tower.Features(y), OrtElementType.Float, 1, "patches", geometry.Hidden);
        }
        else
        {
            graph.Output(GraphNames.Y, y, OrtElementType.Float, 1, "n", geometry.Hidden);
        }
    }

    private static void Check(VisionGeometry geometry, TowerSection section)
    {
        UnsupportedGeometryException.ThrowIfUnsupported(geometry);
        ArgumentOutOfRangeException.ThrowIfNegative(section.FirstLayer);
        ArgumentOutOfRangeException.ThrowIfLessThan(section.LastLayer, section.FirstLayer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(section.LastLayer, geometry.FeatureLayers);
    }
}

/// <summary>Layers of a vision tower that are one session, and what the attention of a single one hands out.</summary>
/// <param name="FirstLayer">First layer.</param>
/// <param name="LastLayer">Last layer.</param>
/// <param name="Reads">What comes out of the attention half of a layer.</param>
/// <param name="IsProportional">True if logarithms of sizes are added to its products.</param>
/// <param name="MergedInto">Rows that each layer runs on in place of the patches; 0 if it runs on all.</param>
internal sealed record TowerSection(int FirstLayer, int LastLayer, TowerReads Reads = TowerReads.None, bool IsProportional = false, int MergedInto = 0)
{
    /// <summary>True if the features are what these layers write.</summary>
    public bool IsLast(VisionGeometry geometry) => LastLayer == geometry.FeatureLayers - 1;
}

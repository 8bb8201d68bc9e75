using Espalier.OnnxRuntime;

namespace Espalier.Graphs;

/// <content>Layers that run on rows which a static matrix makes of all of them.</content>
internal sealed partial class VisionTower
{
    /// <summary>One layer on <paramref name="rows"/> rows besides the CLS row: <c>merge</c> [rows, Patches] makes them of the patches, <c>recover</c> [Patches, rows] makes patches of what the layer makes of them,
    /// and <c>bypass</c> [Patches, 1] says what each patch keeps of itself.</summary>
    public string MergedLayer(string x, int layer, int rows)
    {
        string values = $"vision.layers.{layer}.merged";
        string merge = graph.Weight(PruneAndMergeWeights.Merge(layer), OrtElementType.Float, rows, geometry.Patches);
        string recover = graph.Weight(PruneAndMergeWeights.Recover(layer), OrtElementType.Float, geometry.Patches, rows);
        string bypass = graph.Weight(PruneAndMergeWeights.Bypass(layer), OrtElementType.Float, geometry.Patches, 1);
        string patches = Patches($"{values}.patches", x);
        string fewer = graph.Node(Operator.FusedMatMul, $"{values}.rows", [merge, patches]);
        string y = Layer(BehindCls($"{values}.x", x, fewer), layer);
        string back = graph.Node(Operator.FusedMatMul, $"{values}.recovered", [recover, Patches($"{values}.left", y)]);
        string kept = graph.Node(Operator.Mul, $"{values}.bypassing", [patches, bypass]);
        return BehindCls($"{values}.y", y, graph.Node(Operator.Add, $"{values}.all", [back, kept]));
    }

    private string Patches(string result, string rows) => geometry.HasCls
        ? graph.Node(Operator.Slice, result, [rows, graph.Constant(1), graph.Constant(long.MaxValue), graph.Constant(1)])
        : rows;

    /// <summary>The rows behind the CLS row of others, if the tower has one.</summary>
    private string BehindCls(string result, string other, string rows)
    {
        if (!geometry.HasCls)
        {
            return rows;
        }

        string cls = graph.Node(Operator.Slice, $"{result}.cls", [other, graph.Constant(0), graph.Constant(1), graph.Constant(1)]);
        return graph.Node(Operator.Concat, result, [cls, rows], NodeAttribute.Of("axis", 1));
    }
}

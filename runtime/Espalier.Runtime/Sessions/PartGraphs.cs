using Espalier.Graphs;
using Espalier.Graphs.Lowering;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>Which graph each part of a model is.</summary>
internal static class PartGraphs
{
    /// <summary>The graph of a part of a checkpoint, as its session is built from.</summary>
    public static GraphModel Build(Checkpoint checkpoint, SessionKey key)
    {
        ModelGeometry geometry = checkpoint.Geometry;
        return key.Part switch
        {
            ModelPart.Vision => VisionGraph.Build(geometry.Vision, key.RequiredFormat),
            ModelPart.ScoredVision => ScoredVisionGraph.Build(geometry.Vision, key.Scores!, key.RequiredFormat),
            ModelPart.EmbedPatches => TowerSectionGraph.Embed(geometry.Vision, key.RequiredFormat),
            ModelPart.TowerLayers => TowerSectionGraph.Layers(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.TowerAttention => TowerSectionGraph.Attention(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.TowerFeedForward => TowerSectionGraph.FeedForward(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.MergedTowerLayers => TowerSectionGraph.MergedLayers(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.TowerClsAttention => TowerSectionGraph.ClsAttention(geometry.Vision, key.Section!, key.RequiredFormat),
            ModelPart.AbsorbFeatures => RowGraphs.Absorb(geometry.Vision.Hidden),
            ModelPart.GatherFeatures => RowGraphs.Gather(geometry.Vision.Hidden),
            ModelPart.MergeFeatures => RowGraphs.Merge(geometry.Vision.Hidden),
            ModelPart.Projector => ProjectorGraph.Build(geometry, key.RequiredFormat),
            ModelPart.MergeProjected => RowGraphs.Merge(geometry.Text.Hidden),
            ModelPart.DecoderLayer => DecoderLayerGraph.Build(geometry.Text, key.Layer, key.Kind, key.RequiredFormat, key.Partial),
            ModelPart.BatchLayer => BatchLayerGraph.Build(geometry.Text, key.Layer, key.RequiredFormat, key.Sequences),
            ModelPart.FeedForward => DecoderLayerGraph.BuildFeedForward(geometry.Text, key.Layer, key.RequiredFormat),
            ModelPart.DecodeAttention => DecodeHalfGraphs.Attention(geometry.Text, key.Layer, key.RequiredFormat),
            ModelPart.DecodeFeedForward => DecodeHalfGraphs.FeedForward(geometry.Text, key.Layer, key.RequiredFormat),
            ModelPart.LayerScore => LayerScoreGraph.Build(geometry.Text, key.Layer, key.RequiredFormat),
            ModelPart.ClipText => ClipTextGraph.Text(key.Clip!),
            ModelPart.ClipPatches => ClipTextGraph.Patches(key.Clip!),
            ModelPart.Gate => GateGraph.Build(geometry.Text, key.Layer, key.Width, key.RequiredFormat),
            ModelPart.Head => HeadGraph.Build(geometry.Text, checkpoint.HeadTensorName, key.RequiredFormat),
            ModelPart.FinalNorm => RowGraphs.FinalNorm(geometry.Text),
            ModelPart.GatherRows => RowGraphs.Gather(geometry.Text.Hidden),
            ModelPart.KeepCached => RowGraphs.KeepCached(geometry.Text),
            ModelPart.TakePrefix => RowGraphs.TakePrefix(geometry.Text),
            ModelPart.PutPrefix => RowGraphs.PutPrefix(geometry.Text),
            ModelPart.MergeRows => RowGraphs.Absorb(geometry.Text.Hidden),
            ModelPart.PartRows => RowGraphs.Part(geometry.Text),
            ModelPart.JoinRows => RowGraphs.Join(geometry.Text),
            _ => throw new ArgumentOutOfRangeException(nameof(key), key, null),
        };
    }

    /// <summary>The graph in the precision of the key's rows.</summary>
    public static GraphModel InPrecision(SessionKey key, GraphModel graph) =>
        key.Rows == OrtElementType.Float ? graph : HalfLowering.Lower(graph, key.Rows, hasLinearLayers: key.Format is not null && key.Part != ModelPart.Gate);
}

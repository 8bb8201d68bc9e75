using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The sessions of a vision tower that is cut where tokens leave inside of it.</summary>
/// <remarks>Thread-safe once made.</remarks>
internal sealed class TowerSessions
{
    private readonly OrtSession?[] _whole;
    private readonly OrtSession?[] _attention;
    private readonly OrtSession?[] _feedForward;
    private readonly OrtSession?[] _ahead;

    /// <summary>Gets the sessions.</summary>
    /// <param name="plan">A plan that reduces inside the tower.</param>
    /// <param name="get">Hands out the session of a part and its layers.</param>
    public TowerSessions(ReductionPlan plan, Func<ModelPart, TowerSection?, OrtSession> get)
    {
        int layers = plan.Geometry.Vision.FeatureLayers;
        _whole = new OrtSession?[layers];
        _attention = new OrtSession?[layers];
        _feedForward = new OrtSession?[layers];
        _ahead = new OrtSession?[layers];
        Embed = get(ModelPart.EmbedPatches, null);
        Absorb = get(ModelPart.AbsorbFeatures, null);
        foreach (TowerRun run in plan.TowerRuns())
        {
            if (run.Step is null)
            {
                _whole[run.FirstLayer] = get(run.MergedInto > 0 ? ModelPart.MergedTowerLayers : ModelPart.TowerLayers, new TowerSection(run.FirstLayer, run.LastLayer, MergedInto: run.MergedInto));
                continue;
            }

            TowerReduction tower = run.Step.Tower!;
            if (tower.IsAhead)
            {
                int last = run.FirstLayer + tower.Ahead[run.FirstLayer - tower.FirstLayer] - 1;
                _ahead[run.FirstLayer] = last == run.FirstLayer ? null : get(ModelPart.TowerLayers, new TowerSection(run.FirstLayer, last - 1));
                _attention[run.FirstLayer] = get(ModelPart.TowerClsAttention, new TowerSection(last, last));
                _whole[run.FirstLayer] = get(ModelPart.TowerLayers, new TowerSection(run.FirstLayer, run.LastLayer));
                continue;
            }

            for (int layer = run.FirstLayer; layer <= run.LastLayer; layer++)
            {
                _attention[layer] = get(ModelPart.TowerAttention, new TowerSection(layer, layer, tower.Reads, tower.IsProportional));
                _feedForward[layer] = get(ModelPart.TowerFeedForward, new TowerSection(layer, layer));
            }
        }
    }

    /// <summary>Pixels to rows.</summary>
    public OrtSession Embed { get; }

    /// <summary>Rows that take in others.</summary>
    public OrtSession Absorb { get; }

    /// <summary>Sessions that a plan needs in place of the one of the whole tower.</summary>
    public static int Count(ReductionPlan plan)
    {
        int count = 2;
        foreach (TowerRun run in plan.TowerRuns())
        {
            count += run.Step is not { Tower: { } tower } ? 1
                : !tower.IsAhead ? 2 * (run.LastLayer - run.FirstLayer + 1)
                : tower.Ahead[run.FirstLayer - tower.FirstLayer] == 1 ? 2 : 3;
        }

        return count;
    }

    /// <summary>The whole layers from one on.</summary>
    public OrtSession Whole(int firstLayer) => _whole[firstLayer]!;

    /// <summary>The whole layers that run ahead of a reduction before a layer; null if only the attention of the layer itself is read.</summary>
    public OrtSession? Ahead(int layer) => _ahead[layer];

    /// <summary>The first half of a layer that reduces, or the attention that a reduction before a layer reads.</summary>
    public OrtSession Attention(int layer) => _attention[layer]!;

    /// <summary>The second half of a layer that reduces.</summary>
    public OrtSession FeedForward(int layer) => _feedForward[layer]!;
}

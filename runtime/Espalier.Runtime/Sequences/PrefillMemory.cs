using Espalier.Planning;

namespace Espalier;

/// <summary>What a prompt is computed in: the image's pixels and features, the rows between the layers, the merges. Nothing of it is needed once the prompt is in the KV cache, so the sequences of a batch, whose prompts run one after another, share one.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class PrefillMemory : IDisposable
{
    public PrefillMemory(ModelSessions sessions, ReductionPlan plan)
    {
        Map = new VisualTokenMap(plan);
        Rows = new PassRows(sessions);
        Readings = new LayerReadings(sessions.Memory);
        Merge = new MergeBuffers(sessions.Memory);
        Partial = plan.VisualRowsPartial > 0 ? new PartialInputs(plan, sessions.Memory) : null;
        try
        {
            Image = new ImagePass(sessions, plan, Map);
        }
        catch
        {
            Rows.Dispose();
            Readings.Dispose();
            Partial?.Dispose();
            throw;
        }
    }

    /// <summary>Which visual tokens the rows are.</summary>
    public VisualTokenMap Map { get; }

    /// <summary>The rows.</summary>
    public PassRows Rows { get; }

    /// <summary>What layers hand out beside the rows.</summary>
    public LayerReadings Readings { get; }

    /// <summary>The image.</summary>
    public ImagePass Image { get; }

    /// <summary>Merges of rows.</summary>
    public MergeBuffers Merge { get; }

    /// <summary>What layers read in which visual rows do less; null if there are none.</summary>
    public PartialInputs? Partial { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Image.Dispose();
        Rows.Dispose();
        Readings.Dispose();
        Merge.Dispose();
        Partial?.Dispose();
    }
}

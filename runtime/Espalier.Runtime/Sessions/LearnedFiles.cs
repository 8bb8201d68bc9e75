using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier;

/// <summary>The files of learned weights beside a checkpoint, each opened once, and what plans need of them.</summary>
/// <remarks>Thread-safe. The files live as long as this does.</remarks>
internal sealed class LearnedFiles(Checkpoint checkpoint) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LearnedFile> _files = new(StringComparer.Ordinal);

    /// <summary>The learned weights that a plan needs besides the checkpoint's; null if it summarises nothing.</summary>
    /// <exception cref="CheckpointException">There are none, or they do not fit.</exception>
    public VictorWeights? FindRegisters(ReductionPlan plan) =>
        plan.Registers == 0 ? null : VictorWeights.Find(checkpoint, plan.Steps[^1], Open);

    /// <summary>The gates that a plan asks; null if it asks none.</summary>
    /// <exception cref="CheckpointException">There are none, or they do not fit.</exception>
    public DyVteWeights? FindGates(ReductionPlan plan) =>
        plan.Gates is null ? null : DyVteWeights.Find(checkpoint, plan.Gates, Open);

    /// <summary>The static matrices of tower layers that run on fewer rows; null if none does.</summary>
    /// <exception cref="CheckpointException">There are none, or they do not fit.</exception>
    public LearnedFile? FindMatrices(ReductionPlan plan) =>
        plan.MergedTower is null ? null : PruneAndMergeWeights.Find(checkpoint, plan.MergedTower, Open);

    /// <summary>CLIP's text tower, if a step of the plan asks how patches are related to the question and the checkpoint has it; else null.</summary>
    /// <exception cref="CheckpointException">It is incomplete or does not fit.</exception>
    /// <exception cref="Text.TokenizerException">Its tokenizer cannot be read.</exception>
    public ClipTower? FindClip(ReductionPlan plan) =>
        plan.StepAt(Site.Projected)?.Kernel?.Reads(KernelInputs.TextRelevance) == true || plan.StepAt(Site.VisionOutput)?.Kernel?.Reads(KernelInputs.TextScores) == true ? ClipTower.Find(checkpoint, Open) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (LearnedFile file in _files.Values)
            {
                file.Dispose();
            }

            _files.Clear();
        }
    }

    private LearnedFile Open(string path)
    {
        lock (_lock)
        {
            if (!_files.TryGetValue(path, out LearnedFile? file))
            {
                file = LearnedFile.Open(path);
                _files.Add(path, file);
            }

            return file;
        }
    }
}

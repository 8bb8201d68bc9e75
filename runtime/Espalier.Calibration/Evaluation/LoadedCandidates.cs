namespace Espalier.Evaluation;

/// <summary>Candidates over one checkpoint: the weights are in memory once, however many candidates there are.</summary>
internal sealed class LoadedCandidates : IDisposable
{
    /// <summary>Positions for the text of a question and its answer, unless a caller says otherwise.</summary>
    public const int DefaultTextPositions = 1024;

    private readonly Checkpoint _checkpoint;
    private readonly List<LoadedCandidate> _loaded = [];

    private LoadedCandidates(Checkpoint checkpoint) => _checkpoint = checkpoint;

    /// <summary>The candidates, in their order.</summary>
    public IReadOnlyList<LoadedCandidate> All => _loaded;

    /// <summary>Opens a model folder and loads candidates of it.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="candidates">What to load.</param>
    /// <param name="options">Device, precision, and what cancels the loading.</param>
    /// <param name="textPositions">Positions for text, beside those of the image.</param>
    /// <param name="announce">Told the name of each candidate before it is loaded.</param>
    public static LoadedCandidates Load(string folder, IReadOnlyList<Candidate> candidates, ModelOptions options, int textPositions = DefaultTextPositions, Action<string>? announce = null)
    {
        LoadedCandidates loaded = new(Checkpoint.Open(folder));
        try
        {
            foreach (Candidate candidate in candidates)
            {
                announce?.Invoke(candidate.Name);
                loaded._loaded.Add(new LoadedCandidate(candidate, loaded._checkpoint, options, candidate.Plan.ImagePositions + textPositions));
            }

            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LoadedCandidate candidate in _loaded)
        {
            candidate.Dispose();
        }

        _checkpoint.Dispose();
    }
}

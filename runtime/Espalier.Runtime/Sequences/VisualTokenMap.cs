using Espalier.Planning;

namespace Espalier;

/// <summary>Which of the image's visual tokens the current rows are, and which ones survived each step.</summary>
/// <remarks>Sized by the plan once; not thread-safe.</remarks>
internal sealed class VisualTokenMap
{
    private readonly int[] _tokens;
    private readonly ReductionPlan _plan;
    private readonly int[][] _survivors;
    private int _steps;

    public VisualTokenMap(ReductionPlan plan)
    {
        _plan = plan;
        _tokens = new int[plan.Geometry.VisualTokens];
        _survivors = new int[plan.Steps.Count][];
        for (int i = 0; i < _survivors.Length; i++)
        {
            _survivors[i] = new int[plan.Steps[i].TokensAfter];
        }
    }

    /// <summary>Visual rows now.</summary>
    public int Count { get; private set; }

    /// <summary>The image's visual token that each row is, ascending.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Count);

    /// <summary>Steps that have run in this prefill.</summary>
    public int Steps => _steps;

    /// <summary>All visual tokens are present again.</summary>
    public void Reset()
    {
        for (int i = 0; i < _tokens.Length; i++)
        {
            _tokens[i] = i;
        }

        Count = _tokens.Length;
        _steps = 0;
    }

    /// <summary>Rejects indices that are not strictly ascending inside the current rows.</summary>
    public void CheckKept(ReadOnlySpan<int> kept)
    {
        int previous = -1;
        foreach (int index in kept)
        {
            if (index <= previous || index >= Count)
            {
                throw new ArgumentException($"Kept index {index} after {previous} is not ascending inside the {Count} visual rows.", nameof(kept));
            }

            previous = index;
        }
    }

    /// <summary>Records a step.</summary>
    public void Keep(ReadOnlySpan<int> kept, int afterLayer)
    {
        if (_steps >= _survivors.Length || _survivors[_steps].Length != kept.Length || _plan.Steps[_steps].AfterLayer != afterLayer)
        {
            throw new InvalidOperationException($"A step after layer {afterLayer} that leaves {kept.Length} visual tokens is not what the plan says.");
        }

        for (int i = 0; i < kept.Length; i++)
        {
            _tokens[i] = _tokens[kept[i]];
        }

        Count = kept.Length;

        _tokens.AsSpan(0, Count).CopyTo(_survivors[_steps]);
        _steps++;
    }

    /// <summary>The image's visual tokens that survived a step, ascending.</summary>
    public ReadOnlySpan<int> Survivors(int step) => (uint)step < (uint)_steps ? _survivors[step] : throw new ArgumentOutOfRangeException(nameof(step), step, "The step has not run.");
}

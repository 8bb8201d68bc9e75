using Espalier.Planning;

namespace Espalier;

/// <summary>Which of the image's visual tokens the current rows are, and which ones survived each step.</summary>
/// <remarks>Sized by the plan once; not thread-safe.</remarks>
internal sealed class VisualTokenMap
{
    private readonly int[] _tokens;
    private readonly int[] _offsets;
    private readonly ReductionPlan _plan;
    private readonly int[][] _survivors;
    private readonly TokenHoldings _holdings;
    private readonly bool[] _seen;
    private readonly int[] _counts;
    private int _steps;

    public VisualTokenMap(ReductionPlan plan)
    {
        _plan = plan;
        _holdings = new TokenHoldings(plan.Geometry.VisualTokens);
        _seen = new bool[plan.Geometry.VisualTokens];
        _tokens = new int[plan.Geometry.VisualTokens];
        _offsets = new int[plan.Geometry.VisualTokens];
        _survivors = new int[plan.Steps.Count][];
        _counts = new int[plan.Steps.Count];
        for (int i = 0; i < _survivors.Length; i++)
        {
            _survivors[i] = new int[plan.Steps[i].TokensAfter];
        }
    }

    /// <summary>Visual rows now.</summary>
    public int Count { get; private set; }

    /// <summary>Visual rows that entered the decoder, or that would now.</summary>
    public int Entered { get; private set; }

    /// <summary>The image's visual token that each row is: ascending, unless tokens were merged before the decoder; -1 is the tower's CLS token, -2 a token that stands for many.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Count);

    /// <summary>The place of each row among the positions that the image takes, until the decoder starts.</summary>
    public ReadOnlySpan<int> Offsets => _offsets.AsSpan(0, Count);

    /// <summary>Positions that the image takes.</summary>
    public int ImagePositions { get; private set; }

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
        Entered = Count;
        _steps = 0;
        _holdings.Reset(_tokens.Length);
        Renumber();
    }

    /// <summary>Writes the visual tokens of the image that a row was made of, ascending: one, unless rows were merged into it; none of the tower's CLS token.</summary>
    /// <returns>How many they are.</returns>
    public int TokensOf(int row, Span<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        return _holdings.Read(row, tokens);
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

    /// <summary>All tokens leave, by a gate that is no step.</summary>
    public void Leave() => Count = 0;

    /// <summary>Records a step of the decoder.</summary>
    public void Keep(ReadOnlySpan<int> kept, int afterLayer) => Keep(kept, NextSurvivors(kept.Length, afterLayer, isVisionSide: false, isMerge: false));

    /// <summary>Records a step of the decoder in which rows take in those that leave. If the step keeps positions, rows keep their order; else they may come in any.</summary>
    public void Merge(RowMerge merge, int afterLayer, bool insideLayer)
    {
        int[] survivors = NextSurvivors(merge.Kept.Length, afterLayer, isVisionSide: false, isMerge: true);
        if (_plan.Steps[_steps].IsInsideLayer != insideLayer)
        {
            throw new InvalidOperationException($"The plan merges visual tokens {(insideLayer ? "behind" : "inside of")} layer {afterLayer}.");
        }

        if (_plan.Steps[_steps].Positions == Positions.Keep)
        {
            CheckKept(merge.Kept);
        }

        CheckOnce(merge);
        for (int i = 0; i < merge.Kept.Length; i++)
        {
            survivors[i] = _tokens[merge.Kept[i]];
        }

        _holdings.Merge(merge);
        survivors.AsSpan(0, merge.Kept.Length).CopyTo(_tokens);
        Count = merge.Kept.Length;
        _steps++;
    }

    /// <summary>Records what leaves a layer of the vision tower.</summary>
    /// <param name="merge">What happens there; rows may come in any order.</param>
    /// <param name="endsStep">True in the last layer of a step.</param>
    public void MergeInTower(RowMerge merge, bool endsStep)
    {
        CheckOnce(merge);

        // The offsets are written anew below, so they can hold the tokens while these are put in order.
        for (int i = 0; i < merge.Kept.Length; i++)
        {
            _offsets[i] = _tokens[merge.Kept[i]];
        }

        _holdings.Merge(merge);
        Count = merge.Kept.Length;
        Entered = Count;
        _offsets.AsSpan(0, Count).CopyTo(_tokens);
        if (endsStep)
        {
            Tokens.CopyTo(NextSurvivors(Count, -1, isVisionSide: true, isMerge: true));
            _steps++;
        }

        Renumber();
    }

    /// <summary>Records a step before the decoder that keeps some tokens.</summary>
    public void KeepInImage(ReadOnlySpan<int> kept)
    {
        int[] survivors = NextSurvivors(kept.Length, -1, isVisionSide: true, isMerge: false);
        for (int i = 0; i < kept.Length; i++)
        {
            _offsets[i] = _offsets[kept[i]];
        }

        Keep(kept, survivors);
        Entered = Count;
        if (_plan.Steps[_steps - 1].Positions == Positions.Renumber)
        {
            Renumber();
        }
    }

    /// <summary>Records a step before the decoder that makes new tokens of all; each stands for one that was there, for the CLS token, which is -1, or for many, which is -2.</summary>
    /// <param name="tokens">What each stands for.</param>
    /// <param name="weights">What each takes of each row; the visual tokens' columns are the last.</param>
    public void MergeInImage(ReadOnlySpan<int> tokens, ReadOnlySpan<float> weights)
    {
        foreach (int token in tokens)
        {
            if (token < -2 || token >= Count)
            {
                throw new ArgumentException($"A merged token stands for visual token {token}, but there are {Count}.", nameof(tokens));
            }
        }

        // Merged tokens come in any order, so all are read before any of those that are there is overwritten.
        int[] survivors = NextSurvivors(tokens.Length, -1, isVisionSide: true, isMerge: true);
        for (int i = 0; i < tokens.Length; i++)
        {
            survivors[i] = tokens[i] < 0 ? tokens[i] : _tokens[tokens[i]];
        }

        int columns = weights.Length / tokens.Length;
        _holdings.Merge(weights, columns, columns - Count);
        survivors.AsSpan(0, tokens.Length).CopyTo(_tokens);
        Count = tokens.Length;
        Entered = Count;
        _steps++;
        Renumber();
    }

    /// <summary>The image's visual tokens that survived a step, in the order of the rows.</summary>
    public ReadOnlySpan<int> Survivors(int step) => (uint)step < (uint)_steps ? _survivors[step].AsSpan(0, _counts[step]) : throw new ArgumentOutOfRangeException(nameof(step), step, "The step has not run.");

    private void Keep(ReadOnlySpan<int> kept, int[] survivors)
    {
        for (int i = 0; i < kept.Length; i++)
        {
            _tokens[i] = _tokens[kept[i]];
        }

        _holdings.Keep(kept);
        Count = kept.Length;
        _tokens.AsSpan(0, Count).CopyTo(survivors);
        _steps++;
    }

    /// <summary>Rejects a merge in which a row is missing or comes twice.</summary>
    private void CheckOnce(RowMerge merge)
    {
        Array.Clear(_seen);
        for (int i = 0; i < merge.Rows; i++)
        {
            int index = i < merge.Kept.Length ? merge.Kept[i] : merge.Absorbed[i - merge.Kept.Length];
            if ((uint)index >= (uint)Count || _seen[index])
            {
                throw new ArgumentException($"A merge names visual row {index}, which it names already or which is none of the {Count}.", nameof(merge));
            }

            _seen[index] = true;
        }
    }

    private void Renumber()
    {
        for (int i = 0; i < Count; i++)
        {
            _offsets[i] = i;
        }

        ImagePositions = Count;
    }

    private int[] NextSurvivors(int count, int afterLayer, bool isVisionSide, bool isMerge)
    {
        if (_steps >= _survivors.Length || _plan.Steps[_steps] is not { } step || step.AfterLayer != afterLayer || step.IsVisionSide != isVisionSide || step.IsMerge != isMerge || !Allows(step, count))
        {
            throw new InvalidOperationException($"A step {(isVisionSide ? "before the decoder" : $"after layer {afterLayer}")} that {(isMerge ? "merges" : "reduces")} {Count} visual tokens to {count} is not what the plan says.");
        }

        _counts[_steps] = count;
        return _survivors[_steps];
    }

    private bool Allows(Step step, int count) => step.Count?.Allows(count, Count, Entered, step.TokensAfter) ?? count == step.TokensAfter;
}

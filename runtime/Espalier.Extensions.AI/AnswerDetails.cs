using Espalier.Planning;

namespace Espalier.Extensions.AI;

/// <summary>What an answer took, and which visual tokens were left: the raw representation of a response, and of the last update of a streamed one.</summary>
/// <remarks>A copy, the caller's to keep. Immutable, thread-safe.</remarks>
public sealed class AnswerDetails
{
    private readonly int[][] _survivors;
    private readonly int _textTokens;

    internal AnswerDetails(Sequence sequence, ReductionPlan plan, int textTokens, bool continued)
    {
        _textTokens = textTokens;
        Statistics = sequence.Statistics;
        Plan = plan;
        IsContinued = continued;
        _survivors = new int[plan.Steps.Count][];
        for (int step = 0; step < _survivors.Length; step++)
        {
            _survivors[step] = sequence.SurvivorsOf(step).ToArray();
        }
    }

    /// <summary>Times, tokens and the reason of the end.</summary>
    public AnswerStatistics Statistics { get; }

    /// <summary>The plan that the model ran.</summary>
    public ReductionPlan Plan { get; }

    /// <summary>True if the image and the earlier turns were still there from an earlier request.</summary>
    public bool IsContinued { get; }

    /// <summary>Visual tokens that the tower gave for the image.</summary>
    public int VisualTokensSeen => Plan.Geometry.VisualTokens;

    /// <summary>Visual tokens that are left behind the last step of the plan; 0 if all of them leave.</summary>
    public int VisualTokensKept => _survivors.Length == 0 ? VisualTokensSeen : _survivors[^1].Length;

    /// <summary>The visual tokens that survived each step of the plan, in the plan's order and numbered as <see cref="Sequence.SurvivorsOf"/> numbers them.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Survivors => _survivors;

    /// <summary>Operations of the prefill that the plan saved against the same model without one, in convention C; 0 if no prefill was needed. Where the plan says "at most", the least that it saves.</summary>
    public double SavedFlops => IsContinued ? 0 : Math.Max(0, Plan.DenseFlops(FlopsConvention.C, _textTokens) - Plan.Flops(FlopsConvention.C, _textTokens));
}

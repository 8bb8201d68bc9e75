using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>What decode steps may leave out. Pure.</summary>
internal static class DecodeRules
{
    /// <summary>The wish of the first policy; reports the others.</summary>
    /// <param name="wishes">The wishes of one kind.</param>
    /// <param name="what">What they do, as the message names it.</param>
    /// <param name="problems">Receives what is wrong.</param>
    public static T? Choose<T>(IReadOnlyList<DecodeWish<T>> wishes, string what, List<PlanProblem> problems)
        where T : class
    {
        for (int i = 1; i < wishes.Count; i++)
        {
            problems.Add(new PlanProblem(PlanProblemKind.DecodeCutTwice, wishes[i].Policy, Argument: null, -1, EquatableArray.Of(wishes[i].Declaration, what, wishes[0].Declaration)));
        }

        return wishes.Count > 0 ? wishes[0].What : null;
    }
}

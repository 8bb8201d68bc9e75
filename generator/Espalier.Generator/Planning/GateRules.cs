using System.Collections.Generic;

namespace Espalier.Planning;

/// <summary>Where gates lie, and what cannot lie beside them. Pure.</summary>
internal static class GateRules
{
    /// <summary>Places the gates of the first policy that wants some, behind the last prune of the decoder and all layers after it; reports what finds no certain visual token there.</summary>
    /// <returns>Null if no policy wants gates, or the model has no layer that they could skip.</returns>
    public static ExitGates? Resolve(List<Gate> gates, List<Step> steps, Exit? exit, IReadOnlyList<Freeze> frozen, int layers, List<PlanProblem> problems)
    {
        if (gates.Count == 0)
        {
            return null;
        }

        Gate gate = gates[0];
        for (int i = 1; i < gates.Count; i++)
        {
            Report(gates[i].Policy, gates[i].Declaration, "lets visual tokens leave by gates", gate, problems);
        }

        if (layers < 2)
        {
            problems.Add(new PlanProblem(PlanProblemKind.NoLayerAfterReduction, gate.Policy, Argument: null, -1, EquatableArray.Of(gate.Declaration, "behind each layer", "0")));
            return null;
        }

        if (exit is not null)
        {
            Report(exit.Policy, exit.Declaration, "lets all visual tokens leave " + exit.Boundary, gate, problems);
        }

        int first = 0;
        foreach (Step step in steps)
        {
            // At a boundary that has both, the prune acts and the gate is asked behind it.
            first = !step.IsVisionSide && !step.IsExit && step.AfterLayer > first ? step.AfterLayer : first;
        }

        var reported = new HashSet<string>();
        foreach (Freeze freeze in frozen)
        {
            if (freeze.Layer > first && reported.Add(freeze.Declaration))
            {
                Report(freeze.Policy, freeze.Declaration, "freezes visual tokens in " + PlanText.Layers(freeze.Layer, freeze.Layer), gate, problems);
            }
        }

        return new ExitGates(first, layers - 2, gate.Declaration);
    }

    private static void Report(int policy, string declaration, string what, Gate gate, List<PlanProblem> problems) =>
        problems.Add(new PlanProblem(PlanProblemKind.NotBehindGates, policy, Argument: null, -1, EquatableArray.Of(declaration, what, gate.Declaration)));
}

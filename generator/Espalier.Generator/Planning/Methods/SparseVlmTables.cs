using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>What both versions of SparseVLM say alike: the layers behind which tokens leave, and how many stay there by a table or a list.</summary>
internal sealed class SparseVlmTables
{
    /// <summary>The visual tokens that the published tables are made for.</summary>
    private const int VisualTokens = 576;

    private readonly Dictionary<int, int[]> _tables;

    /// <summary>Tables by the number that names them.</summary>
    public SparseVlmTables(Dictionary<int, int[]> tables)
    {
        _tables = tables;
    }

    /// <summary>The layers as written, or the authors'; null, and a report, if there are none.</summary>
    public static EquatableArray<int>? Layers(PolicyLowering policy, params int[] published)
    {
        if (!policy.Has("Layers"))
        {
            return new EquatableArray<int>(published);
        }

        EquatableArray<int> written = policy.Layers("Layers");
        if (written.Count > 0)
        {
            return written;
        }

        policy.Report(PlanProblemKind.CountsUnlikeLayers, "Layers", -1, "for some layers", "none");
        return null;
    }

    /// <summary>Reports a table for another number of visual tokens; <paramref name="instead"/> is what to write.</summary>
    /// <returns>True if the table is for this model.</returns>
    public static bool Fits(PolicyLowering policy, string instead)
    {
        int there = policy.Geometry.VisualTokens;
        if (there == VisualTokens)
        {
            return true;
        }

        policy.Report(PlanProblemKind.TableOfAnotherModel, policy.Has("Tokens") ? "Tokens" : null, -1, PlanText.Count(VisualTokens), PlanText.Count(there), instead);
        return false;
    }

    /// <summary>The boundary behind a layer of the list.</summary>
    public static Boundary Behind(PolicyLowering policy, EquatableArray<int> layers, int stage) =>
        new(policy.Has("Layers") ? "Layers" : null, layers[stage], NamesNextLayer: false, Element: policy.Has("Layers") ? stage : -1);

    /// <summary>The counts, one a layer; null, and a report, if there are none.</summary>
    public EquatableArray<int>? Counts(PolicyLowering policy, EquatableArray<int> layers)
    {
        if (!policy.Has("Keep"))
        {
            int tokens = policy.Integer("Tokens", 192);
            string names = string.Join(", ", _tables.Keys.OrderByDescending(name => name).Select(PlanText.Plain));
            if (!policy.CheckNumber("Tokens", _tables.ContainsKey(tokens), tokens, "one of " + names) || !Fits(policy, "Keep = [...] with a count a layer"))
            {
                return null;
            }

            return Paired(policy, new EquatableArray<int>(_tables[tokens]), layers);
        }

        if (policy.Has("Tokens"))
        {
            policy.Report(PlanProblemKind.CountAndShare, "Tokens", -1, "Keep", "Tokens");
            return null;
        }

        return Paired(policy, policy.Layers("Keep"), layers);
    }

    private static EquatableArray<int>? Paired(PolicyLowering policy, EquatableArray<int> counts, EquatableArray<int> layers)
    {
        if (counts.Count == layers.Count)
        {
            return counts;
        }

        policy.Report(
            PlanProblemKind.CountsUnlikeLayers, policy.Has("Keep") ? "Keep" : "Layers", -1,
            PlanText.Plain(counts.Count) + (counts.Count == 1 ? " time" : " times"), PlanText.Plain(layers.Count) + (layers.Count == 1 ? " layer" : " layers"));
        return null;
    }
}

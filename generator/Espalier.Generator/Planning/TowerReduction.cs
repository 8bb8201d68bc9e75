using System;

namespace Espalier.Planning;

/// <summary>What the attention of a tower layer hands out for a reduction behind it. All are means over heads.</summary>
[Flags]
public enum TowerReads
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The scaled products of queries and keys, before the softmax: a row a query, a column a key.</summary>
    Logits = 1,

    /// <summary>The attention: a row a query, a column a key.</summary>
    Probabilities = 2,

    /// <summary>The keys, before any scaling.</summary>
    Keys = 4,
}

/// <summary>Where and how a step at <see cref="Site.InsideTower"/> reduces: in each of some layers that follow each other, between attention and feed-forward layer; or before some of them, by what layers say that run ahead.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="FirstLayer">First tower layer, zero-based.</param>
/// <param name="Leaving">The visual tokens that leave in each layer; 0 in a layer that reduces nothing.</param>
/// <param name="Reads">What the attention hands out.</param>
/// <param name="IsProportional">True if a key counts as often as the patches that its row stands for (ToMe's proportional attention).</param>
/// <param name="Ahead">For each layer how many layers, itself the first, run ahead on all rows before tokens leave in front of it; the attention of the last of them is read. 0 where nothing is reduced, and empty if the step reduces between the halves of layers.</param>
public sealed record TowerReduction(int FirstLayer, EquatableArray<int> Leaving, TowerReads Reads, bool IsProportional = false, EquatableArray<int> Ahead = default)
{
    /// <summary>True if tokens leave before layers, by what layers say that run ahead.</summary>
    public bool IsAhead => Ahead.Count > 0;

    /// <summary>Last tower layer.</summary>
    public int LastLayer => FirstLayer + Leaving.Count - 1;

    /// <summary>As many tokens in each of some layers.</summary>
    /// <param name="leaving">The tokens.</param>
    /// <param name="layers">The layers.</param>
    public static EquatableArray<int> Constant(int leaving, int layers)
    {
        var schedule = new int[layers];
        for (int layer = 0; layer < layers; layer++)
        {
            schedule[layer] = leaving;
        }

        return new EquatableArray<int>(schedule);
    }

    /// <summary>True if as many tokens leave in each layer.</summary>
    public bool IsConstant
    {
        get
        {
            foreach (int leaving in Leaving)
            {
                if (leaving != Leaving[0])
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Tokens that leave in all layers together.</summary>
    public int Total
    {
        get
        {
            int total = 0;
            foreach (int leaving in Leaving)
            {
                total += leaving;
            }

            return total;
        }
    }
}

/// <summary>A run of tower layers: whole ones, or those of one reduction; if that reduces before layers, from one of these to the next.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="FirstLayer">First layer of the run.</param>
/// <param name="LastLayer">Last layer of the run.</param>
/// <param name="VisualTokens">Visual tokens that the run starts with.</param>
/// <param name="Step">What reduces inside of the layers; null if nothing does.</param>
/// <param name="MergedInto">Rows that each layer runs on in place of the visual tokens, which come back behind it; 0 if it runs on all.</param>
public sealed record TowerRun(int FirstLayer, int LastLayer, int VisualTokens, Step? Step, int MergedInto = 0);

using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>Which visual keys a visual row attends to. The text before the image is read in any case, and the row itself.</summary>
public enum VisualReach
{
    /// <summary>All before it.</summary>
    All,

    /// <summary>Those before it that are its neighbours on the patch grid (YOPO, arXiv 2410.06169).</summary>
    Neighbours,

    /// <summary>Its neighbours on the patch grid, those behind it too.</summary>
    NeighboursAround,

    /// <summary>The nearest ones before it (RedundancyLens, arXiv 2501.19036).</summary>
    Preceding,
}

/// <summary>Which neurons of the feed-forward layer visual rows use.</summary>
public enum NeuronChoice
{
    /// <summary>All.</summary>
    All,

    /// <summary>The first ones, the same for every image (YOPO, arXiv 2410.06169).</summary>
    First,

    /// <summary>Those that some of the visual rows activate most, found anew for every image (RedundancyLens, arXiv 2501.19036).</summary>
    Probed,
}

/// <summary>What visual rows still do in a layer in which they do less; text rows do everything.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Reach">Which visual keys a visual row attends to.</param>
/// <param name="Distance">How far: patches to each side, or rows before; 0 for <see cref="VisualReach.All"/>.</param>
/// <param name="Choice">Which neurons visual rows use.</param>
/// <param name="Neurons">How many neurons these are; 0 for <see cref="NeuronChoice.All"/>.</param>
/// <param name="ProbeStride">Every which visual row says what the others use, from the first on; 0 unless <see cref="NeuronChoice.Probed"/>.</param>
/// <param name="DroppedHeads">Query heads that visual rows do without, ascending.</param>
public sealed record PartialWork(
    VisualReach Reach = VisualReach.All,
    int Distance = 0,
    NeuronChoice Choice = NeuronChoice.All,
    int Neurons = 0,
    int ProbeStride = 0,
    EquatableArray<int> DroppedHeads = default)
{
    /// <summary>Visual rows whose attention is computed together. A row reads what any of them reaches, and what is not its own weighs nothing.</summary>
    public const int BlockRows = 32;

    /// <summary>True if visual rows do everything.</summary>
    public bool IsWhole => Reach == VisualReach.All && Choice == NeuronChoice.All && DroppedHeads.Count == 0;

    /// <summary>True if visual rows attend on their own, not together with the text.</summary>
    public bool AttendsApart => Reach != VisualReach.All || DroppedHeads.Count > 0;

    /// <summary>True if visual rows multiply parts of the weights.</summary>
    public bool CutsWeights => Choice != NeuronChoice.All || DroppedHeads.Count > 0;

    /// <summary>True if it matters where on the patch grid a visual row lies.</summary>
    public bool NeedsGrid => Reach is VisualReach.Neighbours or VisualReach.NeighboursAround;

    /// <summary>Rows before and behind a visual row that it may reach, at most.</summary>
    /// <param name="grid">Patches along one side of the image.</param>
    public (int Before, int Behind) Span(int grid)
    {
        int neighbours = Distance * (grid + 1);
        return Reach switch
        {
            VisualReach.Neighbours => (neighbours, 0),
            VisualReach.NeighboursAround => (neighbours, neighbours),
            VisualReach.Preceding => (Distance, 0),
            _ => (int.MaxValue / 4, 0),
        };
    }

    /// <summary>Visual keys that each visual row is multiplied with, at most: those that its block reaches.</summary>
    /// <param name="visualTokens">Visual rows.</param>
    /// <param name="grid">Patches along one side of the image.</param>
    public int KeysRead(int visualTokens, int grid)
    {
        (int before, int behind) = Span(grid);
        return Math.Min(visualTokens, before + BlockRows + behind);
    }

    /// <summary>Visual rows that are probed.</summary>
    /// <param name="visualTokens">Visual rows.</param>
    public int Probes(int visualTokens) => ProbeStride == 0 ? 0 : (visualTokens + ProbeStride - 1) / ProbeStride;

    /// <summary>What visual rows do, as the plan says it, for example "256 of 512 neurons, neighbours up to 2 patches away".</summary>
    /// <param name="text">The decoder.</param>
    public string Describe(TextGeometry text)
    {
        _ = text ?? throw new ArgumentNullException(nameof(text));
        string words = Reach switch
        {
            VisualReach.Neighbours or VisualReach.NeighboursAround when Distance == 0 => "no visual token but itself",
            VisualReach.Neighbours => "neighbours up to " + Patches + " away",
            VisualReach.NeighboursAround => "neighbours on all sides up to " + Patches + " away",
            VisualReach.Preceding => "the " + PlanText.Count(Distance) + " visual tokens before",
            _ => "",
        };
        Append(ref words, DroppedHeads.Count == 0 ? "" : DroppedHeads.Count == text.Heads ? "no attention" : PlanText.Count(text.Heads - DroppedHeads.Count) + " of " + PlanText.Count(text.Heads) + " heads");
        Append(ref words, Choice switch
        {
            NeuronChoice.First => "the first " + PlanText.Count(Neurons) + " of " + PlanText.Count(text.Intermediate) + " neurons",
            NeuronChoice.Probed => PlanText.Count(Neurons) + " of " + PlanText.Count(text.Intermediate) + " neurons by probes",
            _ => "",
        });
        return words;
    }

    /// <summary>What visual rows do, as the loop tells it behind "visual tokens", for example "attend to neighbours up to 2 patches away and use the first 256 of 512 neurons".</summary>
    internal string Tell(TextGeometry text)
    {
        var parts = new List<string>();
        if (Reach != VisualReach.All)
        {
            parts.Add("attend to " + Reach switch
            {
                VisualReach.Preceding => "the " + PlanText.Count(Distance) + " visual tokens before them",
                _ when Distance == 0 => "no visual token but themselves",
                VisualReach.Neighbours => "neighbours up to " + Patches + " away",
                _ => "neighbours on all sides up to " + Patches + " away",
            });
        }

        if (DroppedHeads.Count > 0)
        {
            parts.Add(DroppedHeads.Count == text.Heads ? "do without attention" : "do with " + PlanText.Count(text.Heads - DroppedHeads.Count) + " of " + PlanText.Count(text.Heads) + " heads");
        }

        if (Choice != NeuronChoice.All)
        {
            string count = PlanText.Count(Neurons) + " of " + PlanText.Count(text.Intermediate) + " neurons";
            parts.Add(Choice == NeuronChoice.First ? "use the first " + count : "use the " + count + " that some of them activate most");
        }

        string last = parts[parts.Count - 1];
        return parts.Count == 1 ? last : string.Join(", ", parts.Take(parts.Count - 1)) + " and " + last;
    }

    private string Patches => PlanText.Count(Distance) + (Distance == 1 ? " patch" : " patches");

    private static void Append(ref string words, string part) => words += words.Length > 0 && part.Length > 0 ? ", " + part : part;
}

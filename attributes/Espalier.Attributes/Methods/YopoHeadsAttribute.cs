using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>The heads of YOPO (arXiv 2410.06169): in one layer visual tokens have no queries in the listed heads.</summary>
/// <remarks>
/// The authors keep a head if its attention to visual tokens, divided by that to text, is above a threshold in more than 40 of 100 samples: 0.2, 0.077 and 0.035 cut 10, 20 and 30 of the 40 heads of LLaVA-1.5-13B
/// on average; layers 0 and 1 keep all. Their code also hides visual tokens from text in those heads; here text goes on reading them. Stands alone or beside <see cref="YopoAttribute"/>.
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class YopoHeadsAttribute : VisualPolicyAttribute
{
    /// <summary>Drops query heads of visual tokens in a layer.</summary>
    /// <param name="heads">Zero-based query heads, each once. All of them leave visual tokens without attention.</param>
    public YopoHeadsAttribute(params int[] heads)
    {
        Heads = heads;
    }

    /// <summary>The listed heads.</summary>
    public int[] Heads { get; }

    /// <summary>The zero-based layer.</summary>
    public int Layer { get; set; }
}

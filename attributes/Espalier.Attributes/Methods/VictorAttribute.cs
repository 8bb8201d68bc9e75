using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Victor, visual tokens summarised into registers (Wen et al., "Efficient Vision-Language Models by Summarizing Visual Tokens into Compact Registers", arXiv 2410.14072):
/// <see cref="M"/> learned rows enter the decoder between the visual tokens and the text; before layer <see cref="K"/> all visual tokens leave, the registers stay.</summary>
/// <remarks>Needs trained weights: the tensor <c>victor.registers</c> [M, hidden] in the checkpoint, or in the file <c>victor-M.safetensors</c> beside it, which may also hold decoder layers' tensors that replace the checkpoint's.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class VictorAttribute : VisualPolicyAttribute
{
    /// <summary>The paper's M: registers, at least 1. One set of weights is trained for each M; the smallest of the paper, 8, is the default.</summary>
    public int M { get; set; } = 8;

    /// <summary>The paper's k: the first zero-based layer that sees registers and text alone. 1 to the last layer; the paper's default is 3.</summary>
    public int K { get; set; } = 3;
}

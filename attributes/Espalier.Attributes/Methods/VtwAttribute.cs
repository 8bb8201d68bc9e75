using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>VTW, visual tokens withdrawal (Lin et al., "Boosting Multimodal Large Language Models with Visual Tokens Withdrawal for Rapid Inference", arXiv 2405.05803):
/// all visual tokens leave before layer <see cref="K"/>.</summary>
/// <remarks>Lowers to <c>[ExitVisual(AfterLayer = K - 1)]</c>. Text keeps its positions (the authors' mode <c>keep</c>).</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class VtwAttribute : VisualPolicyAttribute
{
    /// <summary>The paper's K: the first zero-based layer that sees text alone. 1 to the last layer; the authors' default is 15.</summary>
    public int K { get; set; } = 15;
}

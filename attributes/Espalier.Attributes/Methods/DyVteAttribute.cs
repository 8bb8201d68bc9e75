using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>DyVTE, dynamic visual-token exit (Wu et al., "Accelerating Multimodal Large Language Models via Dynamic Visual-Token Exit and the Empirical Findings", arXiv 2411.19628):
/// behind each decoder layer a small learned gate reads the text rows; the first that says so lets all visual tokens leave.</summary>
/// <remarks>
/// <para>Gates are asked in prefill only. Where reductions of the decoder stand beside it, the gates lie behind the last of them. The plan's counts and costs are those without an exit, which is their bound;
/// <c>AnswerStatistics.ExitLayer</c> says what happened.</para>
/// <para>Needs trained weights: the tensors <c>model.visual_gates_router.{layer}.w1.weight</c> [any, 2 · hidden] and <c>.w2.weight</c> [2, any] in the checkpoint, or in the file <c>dyvte.safetensors</c> beside it.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class DyVteAttribute : VisualPolicyAttribute
{
}

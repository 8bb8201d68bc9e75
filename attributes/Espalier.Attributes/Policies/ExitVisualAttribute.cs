using System;
using System.Diagnostics;

namespace Espalier;

/// <summary>Primitive: all visual tokens leave the sequence after a decoder layer. The layers behind it see text alone; text keeps its positions.</summary>
/// <remarks>At most one exit in a plan. It is not repeatable, and <see cref="VtwAttribute"/> is an exit too.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false, Inherited = false)]
[Conditional(AttributeRetention.Symbol)]
public sealed class ExitVisualAttribute : VisualPolicyAttribute
{
    /// <summary>The zero-based layer behind which the tokens leave. 0 to the last layer but one.</summary>
    public int AfterLayer { get; set; }
}

using System.Diagnostics.CodeAnalysis;
using Espalier.Planning;

namespace Espalier.Calibration;

/// <summary>One policy after compiling: its plan and its generated loop, or the reasons why there is none.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
public sealed class CompiledPolicy
{
    private readonly Func<Checkpoint, ModelOptions?, VisionLanguageModel>? _load;

    internal CompiledPolicy(string text, IReadOnlyList<PolicyDiagnostic> diagnostics)
    {
        Text = text;
        Diagnostics = diagnostics;
    }

    internal CompiledPolicy(string text, IReadOnlyList<PolicyDiagnostic> diagnostics, ReductionPlan plan, string source, Func<Checkpoint, ModelOptions?, VisionLanguageModel> load)
        : this(text, diagnostics)
    {
        Plan = plan;
        GeneratedSource = source;
        _load = load;
    }

    /// <summary>The attributes as they were written; empty for the model without a policy.</summary>
    public string Text { get; }

    /// <summary>Errors and warnings, in the order of their places.</summary>
    public IReadOnlyList<PolicyDiagnostic> Diagnostics { get; }

    /// <summary>True if there is a plan, and a model to load.</summary>
    [MemberNotNullWhen(true, nameof(Plan), nameof(GeneratedSource))]
    public bool IsValid => _load is not null;

    /// <summary>What happens to the visual tokens, layer by layer; null if the policy is rejected.</summary>
    public ReductionPlan? Plan { get; }

    /// <summary>The C# that the generator wrote; null if the policy is rejected.</summary>
    public string? GeneratedSource { get; }

    /// <summary>Loads the model that the generated class is.</summary>
    /// <param name="checkpoint">The weights; the caller may dispose it before the model.</param>
    /// <param name="options">Device, precision and progress; null is the default.</param>
    /// <returns>The model, to be disposed by the caller.</returns>
    /// <exception cref="PolicyRejectedException">The policy is not <see cref="IsValid"/>.</exception>
    /// <exception cref="EspalierException">The checkpoint is not the one that was compiled for, or cannot be loaded.</exception>
    public VisionLanguageModel Load(Checkpoint checkpoint, ModelOptions? options = null) =>
        (_load ?? throw new PolicyRejectedException(Text, Diagnostics))(checkpoint, options);
}

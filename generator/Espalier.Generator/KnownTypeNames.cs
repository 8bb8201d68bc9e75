namespace Espalier;

/// <summary>The names by which the generator knows the attributes and the runtime; it references neither.</summary>
internal static class KnownTypeNames
{
    public const string Namespace = "Espalier";
    public const string VisionLanguageModelAttribute = "Espalier.VisionLanguageModelAttribute";
    public const string VisualPolicyAttribute = "VisualPolicyAttribute";
    public const string VisionLanguageModel = "VisionLanguageModel";
    public const string AttributeSuffix = "Attribute";
    public const string Precision = "Precision";
    public const string DefaultPrecision = "Float32";

    /// <summary>What the names of precisions with quantised weights begin with.</summary>
    public const string IntegerPrecisions = "Int";

    /// <summary>What the emitted code says that it was written by.</summary>
    public const string GeneratorName = "Espalier.Generator";
    public const string TokenScorer = "Espalier.ITokenScorer";

    public const string VisionLanguageModelRef = "global::Espalier.VisionLanguageModel";
    public const string CheckpointRef = "global::Espalier.Checkpoint";
    public const string ModelOptionsRef = "global::Espalier.ModelOptions";
    public const string PrecisionRef = "global::Espalier.Precision";
    public const string ForwardPassRef = "global::Espalier.ForwardPass";
    public const string ImagePassRef = "global::Espalier.ImagePass";
    public const string TokenSelectionRef = "global::Espalier.TokenSelection";
    public const string RowMergeRef = "global::Espalier.RowMerge";
    public const string TokenShareRef = "global::Espalier.Planning.TokenShare";
    public const string RecyclingRef = "global::Espalier.Planning.Recycling";
    public const string ReductionPlanRef = "global::Espalier.Planning.ReductionPlan";
    public const string SpanRef = "global::System.Span";
    public const string ReadOnlySpanRef = "global::System.ReadOnlySpan";
    public const string GeneratedCodeRef = "global::System.CodeDom.Compiler.GeneratedCode";
    public const string SkipLocalsInitRef = "global::System.Runtime.CompilerServices.SkipLocalsInit";
}

using Espalier.Planning;

namespace Espalier.Evaluation;

/// <summary>A plan that can be loaded and asked, under the name that reports give it.</summary>
/// <param name="Name">For example <c>dense</c>, or the policy's attributes.</param>
/// <param name="Plan">What the compiler made of the declaration.</param>
/// <param name="Load">The generated factory.</param>
internal sealed record Candidate(string Name, ReductionPlan Plan, Func<Checkpoint, ModelOptions?, VisionLanguageModel> Load)
{
    /// <summary>The visual tokens that each segment works on, in order of layers; with ≤ where the image decides how many, and they are told at the most.</summary>
    /// <param name="separator">Put between two segments.</param>
    public string TokensBySegment(string separator) => string.Join(separator, Plan.Segments.Select(Tokens));

    private string Tokens(Segment segment)
    {
        if (segment.VisualTokens == 0 && Plan.Registers > 0)
        {
            return Plan.Registers == 1 ? "1 register" : $"{Plan.Registers} registers";
        }

        string tokens = (Plan.IsDynamicAt(segment.FirstLayer) ? "≤ " : "") + segment.VisualTokens + (segment.Mode switch { LayerMode.Frozen => " frozen", LayerMode.Partial => " in part", _ => "" });
        return Plan.Gates?.IsBehind(segment.LastLayer - 1) == true ? tokens + " or 0" : tokens;
    }
}

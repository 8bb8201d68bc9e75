using System.Numerics.Tensors;

namespace Espalier.Tests.Declared;

/// <summary>Ranks visual tokens by the length of their hidden state.</summary>
public readonly struct NormScorer : ITokenScorer
{
    /// <inheritdoc/>
    public static void Score(in TokenScoreContext context, Span<float> scores)
    {
        for (int i = 0; i < context.Count; i++)
        {
            scores[i] = TensorPrimitives.Norm(context.Row(i));
        }
    }
}

namespace Espalier;

/// <summary>No token can be chosen, because the model's logits are no numbers: weights that hold such values, or activations that overflowed.</summary>
public sealed class NonFiniteLogitsException : EspalierException
{
    internal NonFiniteLogitsException()
        : base("The model's logits are no finite numbers, so no token can be chosen: its weights hold such values, or activations overflow in this precision. Load it with Precision.Float32; if that does not help, the weights are damaged.")
    {
    }
}

using Espalier.Planning;

namespace Espalier.Calibration;

/// <summary>The dense model, but for one layer that text rows pass unchanged: ShortV's intervention on text tokens (arXiv 2504.00502, section 2). No declaration says this, since nobody wants it; it only tells how much the layer does to text.</summary>
internal sealed class HeldTextModel(Checkpoint checkpoint, ReductionPlan dense, ModelOptions? options, int layer) : VisionLanguageModel(checkpoint, dense, options)
{
    /// <inheritdoc/>
    protected override void Prefill(ForwardPass pass)
    {
        pass.BeginPrefill(LoadedPlan.DecoderVisualTokens);
        for (int i = 0; i < LoadedPlan.Layers; i++)
        {
            if (i == layer)
            {
                pass.RunHoldingText(i);
            }
            else if (i == LoadedPlan.Layers - 1)
            {
                pass.RunLastRow(i);
            }
            else
            {
                pass.RunDense(i);
            }
        }

        pass.EndPrefill();
    }

    /// <inheritdoc/>
    protected override void DecodeStep(ForwardPass pass) => throw new NotSupportedException("Layer contribution looks at the first token only.");
}

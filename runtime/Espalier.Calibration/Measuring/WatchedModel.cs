using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Calibration;

/// <summary>The dense model, whose layers hand out what text pays to visual tokens. The last layer is left out: there nobody reads what visual rows become.</summary>
/// <remarks>For one sequence at a time. Not thread-safe.</remarks>
/// <param name="checkpoint">The checkpoint.</param>
/// <param name="dense">The plan without policies.</param>
/// <param name="options">Precision and progress.</param>
/// <param name="watch">Makes the session of a layer.</param>
internal sealed class WatchedModel(Checkpoint checkpoint, ReductionPlan dense, ModelOptions options, Func<int, OrtSession> watch) : VisionLanguageModel(checkpoint, dense, options)
{
    /// <summary>By layer and query head, what the text behind the image paid to visual tokens in the last prefill, over what it paid to text.</summary>
    public double[][] Ratios { get; } = [.. Enumerable.Range(0, dense.Layers - 1).Select(_ => new double[dense.Geometry.Text.Heads])];

    /// <inheritdoc/>
    protected override void Prefill(ForwardPass pass)
    {
        var text = new double[LoadedPlan.Geometry.Text.Heads];
        pass.BeginPrefill(LoadedPlan.DecoderVisualTokens);
        for (int layer = 0; layer < LoadedPlan.Layers - 1; layer++)
        {
            using var binding = new LayerBinding(watch(layer));
            pass.Cache.Bind(binding.Binding, layer);
            pass.Cache.BindKeyRows(binding.Binding, layer);
            pass.RunWatched(layer, binding, Ratios[layer], text);
            for (int head = 0; head < text.Length; head++)
            {
                Ratios[layer][head] /= text[head];
            }
        }

        pass.RunLastRow(LoadedPlan.Layers - 1);
        pass.EndPrefill();
    }

    /// <inheritdoc/>
    protected override void DecodeStep(ForwardPass pass) => throw new NotSupportedException("Attention is watched in prompts only.");
}

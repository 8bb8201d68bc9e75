using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Calibration;

/// <summary>Measures how much of each head's attention goes to visual tokens, over samples; what a log holds is not measured again.</summary>
/// <remarks>Deterministic. On the CPU whatever device was named: what comes out of a layer is read there. Not thread-safe.</remarks>
internal sealed class AttentionMeter(CalibrationRun run)
{
    /// <summary>The ratio of the attention to visual tokens to that to text, of all text rows behind the image: by layer but the last, head and sample.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public double[][][] Measure()
    {
        int layers = run.Geometry.Text.Layers - 1;
        int heads = run.Geometry.Text.Heads;
        double[][][] ratios = [.. Enumerable.Range(0, layers).Select(_ => Enumerable.Range(0, heads).Select(_ => new double[run.Samples]).ToArray())];
        SessionCache cache = run.Checkpoint.ShareSessions();
        WatchedModel? model = null;
        Sequence? sequence = null;
        try
        {
            for (int sample = 0; sample < run.Samples; sample++)
            {
                run.Options.CancellationToken.ThrowIfCancellationRequested();
                if (!IsKnown(ratios, sample))
                {
                    model ??= Load(cache);
                    sequence = run.Prefill(model, sequence, sample);
                    for (int layer = 0; layer < layers; layer++)
                    {
                        for (int head = 0; head < heads; head++)
                        {
                            ratios[layer][head][sample] = model.Ratios[layer][head];
                            run.Keep(Name(layer, head), sample, model.Ratios[layer][head]);
                        }
                    }
                }

                run.Report("attention of all heads");
            }
        }
        finally
        {
            sequence?.Dispose();
            model?.Dispose();
            cache.Release();
        }

        return ratios;
    }

    private WatchedModel Load(SessionCache cache)
    {
        using PolicyCompilation compiled = PolicyCompiler.Compile(run.Folder, [""], run.Options.CancellationToken);
        ReductionPlan dense = compiled.Policies[0].Plan!;
        ModelOptions options = (run.Options.Model ?? new ModelOptions()) with { Device = Device.Cpu };
        PrecisionFormats formats = PrecisionFormats.For(options.Precision ?? Precision.Float32, CpuExecutionProvider.Instance);
        return new WatchedModel(
            run.Checkpoint,
            dense,
            options with { Precision = options.Precision ?? Precision.Float32 },
            layer => cache.Get(new SessionKey(CpuExecutionProvider.Instance, ModelPart.DecoderLayer, formats.Decoder, layer, LayerKind.RaterScored)));
    }

    private bool IsKnown(double[][][] ratios, int sample)
    {
        for (int layer = 0; layer < ratios.Length; layer++)
        {
            for (int head = 0; head < ratios[layer].Length; head++)
            {
                if (!run.Log.TryGet(Name(layer, head), sample, out ratios[layer][head][sample]))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static string Name(int layer, int head) => $"attention of layer {PolicyText.Number(layer)}, head {PolicyText.Number(head)}";
}

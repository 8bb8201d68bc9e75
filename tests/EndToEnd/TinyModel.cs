using System.Reflection;
using Espalier.Tests.Declared;
using Espalier.Vision;

namespace Espalier.Tests;

/// <summary>The smallest reference checkpoint with its prompt and picture, for tests that ask how a sequence behaves rather than what it computes.</summary>
internal sealed class TinyModel : IDisposable
{
    private static readonly Goldens Golden = Goldens.Of("clip-llama");

    private readonly bool _isShared;

    /// <summary>Opens the checkpoint, unless the caller shares one that it keeps.</summary>
    public TinyModel(Func<Checkpoint, VisionLanguageModel>? load = null, Checkpoint? shared = null)
    {
        _isShared = shared is not null;
        Checkpoint = shared ?? Checkpoint.Open(Golden.CheckpointFolder);
        Model = (load ?? (static c => ClipLlamaAll.Load(c)))(Checkpoint);
        (Prefix, Suffix, _) = Golden.Prompt("all");
        (byte[] rgb, int width, int height) = Golden.Image();
        Image = new RgbImage(rgb, width, height);
        Pixels = new float[3 * Checkpoint.Geometry.Vision.ImageSize * Checkpoint.Geometry.Vision.ImageSize];
        Model.Preprocessor.Process(Image, Pixels);
    }

    public Checkpoint Checkpoint { get; }

    public VisionLanguageModel Model { get; }

    public int[] Prefix { get; }

    public int[] Suffix { get; }

    public RgbImage Image { get; }

    public float[] Pixels { get; }

    public int PromptTokens => Prefix.Length + Model.LoadedPlan.ImagePositions + Suffix.Length;

    /// <summary>A declared class by its type.</summary>
    public static TinyModel Of(Type variant, ModelOptions? options = null, Checkpoint? shared = null)
    {
        MethodInfo load = variant.GetMethod("Load", [typeof(Checkpoint), typeof(ModelOptions)])!;
        return new TinyModel(checkpoint => (VisionLanguageModel)load.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [checkpoint, options], null)!, shared);
    }

    public Sequence CreateSequence(int extra = 16) => Model.CreateSequence(PromptTokens + extra);

    public StepResult Prefill(Sequence sequence, CancellationToken cancellationToken = default) =>
        Model.Prefill(sequence, Prefix, Pixels, Suffix, cancellationToken);

    /// <summary>Logits of the prefill and of each step of a greedy continuation.</summary>
    public List<float[]> Run(Sequence sequence, int steps)
    {
        Assert.Equal(StepResult.Ready, Prefill(sequence));
        var logits = new List<float[]> { sequence.Logits.ToArray() };
        for (int i = 0; i < steps; i++)
        {
            Assert.Equal(StepResult.Ready, Model.Decode(sequence, Array.IndexOf(logits[^1], logits[^1].Max())));
            logits.Add(sequence.Logits.ToArray());
        }

        return logits;
    }

    public void Dispose()
    {
        Model.Dispose();
        if (!_isShared)
        {
            Checkpoint.Dispose();
        }
    }
}

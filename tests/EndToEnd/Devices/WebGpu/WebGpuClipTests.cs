using System.Text.Json;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>CDPruner and Recoverable Compression on WebGPU where the checkpoint has CLIP's text tower: the sample has none.</summary>
[Collection(WebGpuCollection.Name)]
public sealed class WebGpuClipTests : IDisposable
{
    private readonly ClipCopies _copies = new();

    public void Dispose() => _copies.Dispose();

    [WebGpuFact]
    public void RecoverableCompressionAsksTheTowerToo()
    {
        using Checkpoint checkpoint = _copies.Open(inside: "clip");
        using var model = ClipLlamaRecoverable.Load(checkpoint, WebGpuSessions.OnDevice);
        using var tiny = new TinyModel();
        using Sequence sequence = model.CreateSequence(tiny.Prefix.Length + model.LoadedPlan.ImagePositions + tiny.Suffix.Length);
        foreach (JsonElement golden in ClipCopies.Recovered.GetProperty("cases").EnumerateArray())
        {
            tiny.Pixels.CopyTo(sequence.Image.Pixels);
            Assert.Equal(StepResult.Ready, model.PrefillPixels(sequence, tiny.Prefix, tiny.Suffix, golden.GetProperty("question").GetString()!, default));
            Assert.Equal(Goldens.Ints(golden.GetProperty("kept")), sequence.SurvivorsOf(0).ToArray());
            LogitComparison.AssertClose([Goldens.Floats(golden.GetProperty("logits"))], [sequence.Logits.ToArray()], 1e-3f);
        }
    }

    [WebGpuFact]
    public void RelevanceAndWhatStaysAreThoseOfTheReference()
    {
        using Checkpoint checkpoint = _copies.Open(inside: "clip");
        using var model = ClipLlamaCDPruner.Load(checkpoint, WebGpuSessions.OnDevice);
        using var tiny = new TinyModel();
        using Sequence sequence = model.CreateSequence(tiny.Prefix.Length + model.LoadedPlan.ImagePositions + tiny.Suffix.Length + 60);
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            var sessions = new ModelSessions(cache, ClipLlamaCDPruner.Plan, WebGpuSessions.OnDevice);
            Assert.False(sessions.Memory.IsHost);
            foreach (JsonElement golden in ClipCopies.Golden.GetProperty("cases").EnumerateArray())
            {
                string question = golden.GetProperty("question").GetString()!;
                LogitComparison.AssertClose([Goldens.Floats(golden.GetProperty("relevance"))], [ClipCopies.Relevance(sessions, question)], 1e-5f);
                tiny.Pixels.CopyTo(sequence.Image.Pixels);
                Assert.Equal(StepResult.Ready, model.PrefillPixels(sequence, tiny.Prefix, tiny.Suffix, question, default));
                Assert.Equal(Goldens.Ints(golden.GetProperty("kept")), sequence.SurvivorsOf(0).ToArray());
                LogitComparison.AssertClose([Goldens.Floats(golden.GetProperty("logits"))], [sequence.Logits.ToArray()], 1e-3f);
            }
        }
        finally
        {
            cache.Release();
        }
    }
}

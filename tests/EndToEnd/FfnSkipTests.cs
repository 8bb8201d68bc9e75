using System.Text.Json;
using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>FFN-SkipLLM: what is skipped does not run, what runs is the dense model, and text that is added is never cut.</summary>
[Collection(nameof(TracedRuns))]
public sealed class FfnSkipTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhereNothingIsSkippedTheBitsAreThoseOfTheDenseModel()
    {
        using var dense = new TinyModel(static c => ClipLlamaDense.Load(c));
        using var halves = new TinyModel(static c => ClipLlamaFfnSkipNothing.Load(c));
        using Sequence one = dense.CreateSequence();
        using Sequence other = halves.CreateSequence();
        Assert.Equal(dense.Run(one, 6), halves.Run(other, 6));
        Assert.Equal(0, other.Statistics.SkippedFeedForwards);
        Assert.Equal(6, other.Pass.AnswerTokens);
    }

    [Fact]
    public void ASkippedFeedForwardLayerDoesNotRun()
    {
        const int Steps = 8;
        int layers;
        int skipped;
        int between;
        using (var tiny = new TinyModel(c => ClipLlamaFfnSkip.Load(c, new ModelOptions { TraceFolder = _folder.Path })))
        {
            using Sequence sequence = tiny.CreateSequence();
            tiny.Run(sequence, Steps);
            skipped = sequence.Statistics.SkippedFeedForwards;
            layers = tiny.Model.LoadedPlan.Layers;
            FeedForwardSkips skips = tiny.Model.LoadedPlan.Skips!;
            between = skips.LastLayer - skips.FirstLayer + 1;
        }

        Assert.InRange(skipped, 1, (Steps - 2) * between);
        Assert.Equal((Steps * between) - skipped, Enumerable.Range(0, layers).Sum(layer => Runs($"DecodeFeedForward-{layer}")));
        Assert.Equal(Steps * between, Enumerable.Range(0, layers).Sum(layer => Runs($"DecodeAttention-{layer}")));
    }

    [Fact]
    public void TextThatIsAddedIsNeverCut()
    {
        int[] turn = [7, 21, 3, 40, 11, 5, 30];
        using var tiny = new TinyModel(static c => ClipLlamaFfnSkipTogether.Load(c));
        using Sequence single = tiny.CreateSequence(extra: 32);
        using Sequence whole = tiny.CreateSequence(extra: 32);
        tiny.Prefill(single);
        tiny.Prefill(whole);
        foreach (int token in turn)
        {
            Assert.Equal(StepResult.Ready, tiny.Model.Extend(single, [token]));
            Assert.Equal((0, 0), (single.Pass.AnswerTokens, single.Statistics.SkippedFeedForwards));
        }

        Assert.Equal(StepResult.Ready, tiny.Model.Extend(whole, turn));
        AssertClose(single.Logits, whole.Logits);

        // The answer behind it skips again, and is counted for itself.
        tiny.Model.Decode(single, 9);
        tiny.Model.Decode(whole, 9);
        Assert.Equal(1, whole.Pass.AnswerTokens);
        Assert.InRange(whole.Statistics.SkippedFeedForwards, 1, tiny.Model.LoadedPlan.Skips!.AtMost);
        Assert.Equal(whole.Statistics.SkippedFeedForwards, single.Statistics.SkippedFeedForwards);
        AssertClose(single.Logits, whole.Logits);
        tiny.Model.Extend(whole, [4, 8]);
        Assert.Equal((0, 0), (whole.Pass.AnswerTokens, whole.Statistics.SkippedFeedForwards));
    }

    [Fact]
    public async Task AnAnswerTellsWhatItSkipped()
    {
        using var tiny = new TinyModel(static c => ClipLlamaFfnSkipTogether.Load(c));
        using Sequence sequence = tiny.CreateSequence(extra: 120);
        var options = new AnswerOptions { MaxNewTokens = 6 };
        await foreach (string _ in tiny.Model.AnswerAsync(sequence, tiny.Image, "what is this ?", options))
        {
        }

        int first = sequence.Statistics.SkippedFeedForwards;
        Assert.InRange(first, 1, (sequence.Statistics.GeneratedTokens - 1) * tiny.Model.LoadedPlan.Skips!.AtMost);
        await foreach (string _ in tiny.Model.AnswerAsync(sequence, "and this ?", options))
        {
        }

        Assert.InRange(sequence.Statistics.SkippedFeedForwards, 1, (sequence.Statistics.GeneratedTokens - 1) * tiny.Model.LoadedPlan.Skips.AtMost);
    }

    [Theory]
    [InlineData("as planned")]
    [InlineData("a half is left out")]
    [InlineData("the last half is left out")]
    [InlineData("skipped without leave")]
    [InlineData("skipped in the warm-up")]
    [InlineData("skipped too often")]
    [InlineData("a whole layer in place of halves")]
    [InlineData("halves in place of a whole layer")]
    [InlineData("a half runs twice")]
    [InlineData("the half of another layer")]
    public void AWrongLoopFails(string name)
    {
        // Layers 1 to 4 of 6 run in halves; two may follow one that hardly turns its row, from the third step on.
        using var tiny = new TinyModel(c => new DecodingLoop(c, LowThreshold(), pass =>
        {
            pass.BeginDecode();
            if (name == "halves in place of a whole layer")
            {
                pass.RunDecodeAttention(0);
            }

            pass.RunDecode(0);
            if (name == "a whole layer in place of halves")
            {
                pass.RunDecode(1);
            }

            pass.RunDecodeAttention(1);
            if (name == "a half is left out")
            {
                pass.RunDecodeAttention(2);
            }

            if (name == "skipped without leave")
            {
                pass.SkipFeedForward(1);
            }

            pass.RunDecodeFeedForward(name == "the half of another layer" ? 2 : 1);
            if (name == "a half runs twice")
            {
                pass.RunDecodeFeedForward(1);
            }

            int last = name == "skipped too often" ? 4 : 3;
            for (int layer = 2; layer <= 4; layer++)
            {
                pass.RunDecodeAttention(layer);
                if (layer <= last && (pass.AnswerTokens > 2 || name == "skipped in the warm-up"))
                {
                    pass.SkipFeedForward(layer);
                }
                else if (layer < 4 || name != "the last half is left out")
                {
                    pass.RunDecodeFeedForward(layer);
                }
            }

            pass.RunDecode(5);
            pass.EndDecode();
        }));
        using Sequence sequence = tiny.CreateSequence();
        Exception? thrown = Record.Exception(() => tiny.Run(sequence, 3));
        Assert.True(name == "as planned" ? thrown is null : thrown is InvalidOperationException, thrown?.ToString());
    }

    // Every row turns little enough.
    private static ReductionPlan LowThreshold()
    {
        ReductionPlan plan = ClipLlamaFfnSkip.Plan;
        return new ReductionPlan(plan.Geometry, plan.Segments, plan.Steps, plan.Gates, plan.Skips! with { Threshold = -0.99 });
    }

    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.InRange(actual[i], expected[i] - 1e-4f, expected[i] + 1e-4f);
        }
    }

    /// <summary>How often a session ran, as ONNX Runtime says.</summary>
    private int Runs(string session)
    {
        int runs = 0;
        foreach (string file in Directory.GetFiles(_folder.Path, session + "*.json"))
        {
            using JsonDocument trace = JsonDocument.Parse(File.ReadAllBytes(file));
            runs += trace.RootElement.EnumerateArray().Count(static ran => ran.GetProperty("name").GetString() == "model_run");
        }

        return runs;
    }

    private sealed class DecodingLoop(Checkpoint checkpoint, ReductionPlan plan, Action<ForwardPass> decode) : NaiveTwin(checkpoint, plan)
    {
        protected override void DecodeStep(ForwardPass pass) => decode(pass);
    }
}

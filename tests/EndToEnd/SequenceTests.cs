using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>How sequences behave: reuse, prefix cache, capacity, cancellation, concurrency, lifetimes, bad requests.</summary>
public sealed class SequenceTests
{
    [Fact]
    public void ASequenceCanBeReusedAndGivesTheSameBits()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence();
        List<float[]> first = tiny.Run(sequence, 5);
        Assert.Equal(0, sequence.Statistics.CachedPromptTokens);
        List<float[]> second = tiny.Run(sequence, 5);
        Assert.Equal(tiny.Prefix.Length, sequence.Statistics.CachedPromptTokens);
        Assert.Equal(first, second);
    }

    [Fact]
    public void LoadingReportsEverySession()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        var reports = new List<LoadProgress>();
        using ClipLlamaAll model = ClipLlamaAll.Load(checkpoint, new ModelOptions { Progress = new Reports(reports) });
        Assert.Equal(Enumerable.Range(1, reports.Count), reports.Select(static r => r.Done));
        Assert.All(reports, r => Assert.Equal((LoadStage.BuildSessions, reports.Count), (r.Stage, r.Total)));
    }

    [Fact]
    public void DisposingAModelWhileSequencesAreMadeIsSafe()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Goldens.Of("clip-llama").CheckpointFolder);
        using ClipLlamaDense survivor = ClipLlamaDense.Load(checkpoint);
        for (int round = 0; round < 50; round++)
        {
            ClipLlamaDense model = ClipLlamaDense.Load(checkpoint);
            Parallel.Invoke(
                model.Dispose,
                () =>
                {
                    try
                    {
                        model.CreateSequence(100).Dispose();
                    }
                    catch (ObjectDisposedException)
                    {
                        // The model was disposed first.
                    }
                });
        }

        // Had a reference been given back twice, the sessions would be gone.
        survivor.CreateSequence(100).Dispose();
    }

    [Fact]
    public void ThePrefixIsSharedBetweenSequencesOfAModel()
    {
        using var tiny = new TinyModel();
        using Sequence first = tiny.CreateSequence();
        using Sequence second = tiny.CreateSequence(extra: 40);
        List<float[]> expected = tiny.Run(first, 3);
        List<float[]> actual = tiny.Run(second, 3);
        Assert.Equal(tiny.Prefix.Length, second.Statistics.CachedPromptTokens);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void AnotherPrefixReplacesTheCachedOne()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(sequence, 0);
        int[] other = [.. tiny.Prefix, 5];
        Assert.Equal(StepResult.Ready, tiny.Model.Prefill(sequence, other, tiny.Pixels, tiny.Suffix));
        Assert.NotEqual(expected[0], sequence.Logits.ToArray());
        Assert.Equal(expected, tiny.Run(sequence, 0));
    }

    [Fact]
    public void AnEmptyPrefixIsAPromptToo()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence();
        Assert.Equal(StepResult.Ready, tiny.Model.Prefill(sequence, [], tiny.Pixels, tiny.Suffix));
        Assert.Equal(tiny.Model.LoadedPlan.Geometry.VisualTokens + tiny.Suffix.Length, sequence.Position);
        Assert.DoesNotContain(sequence.Logits.ToArray(), float.IsNaN);
    }

    [Fact]
    public void AFullSequenceSaysSoAndStaysUsable()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: 2);
        List<float[]> expected = tiny.Run(sequence, 2);
        Assert.Equal(StepResult.CapacityExhausted, tiny.Model.Decode(sequence, 3));
        Assert.Equal(expected[^1], sequence.Logits.ToArray());
        Assert.Equal(expected, tiny.Run(sequence, 2));
    }

    [Fact]
    public void APromptThatDoesNotFitIsRefusedBeforeAnythingRuns()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence(extra: -1);
        Assert.Equal(StepResult.CapacityExhausted, tiny.Prefill(sequence));
        Assert.Equal(0, sequence.Position);
    }

    [Fact]
    public void CancellationLeavesTheSequenceUsable()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(sequence, 2);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => tiny.Prefill(sequence, cancelled.Token));
        Assert.Throws<InvalidOperationException>(() => tiny.Model.Decode(sequence, 3));
        Assert.Equal(expected, tiny.Run(sequence, 2));
        Assert.Throws<OperationCanceledException>(() => tiny.Model.Decode(sequence, 3, cancelled.Token));
        Assert.Equal(expected, tiny.Run(sequence, 2));
    }

    [Fact]
    public void ConcurrentSequencesGiveTheSameBitsAsAlone()
    {
        using var tiny = new TinyModel();
        using Sequence alone = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(alone, 6);
        var results = new List<float[]>[4];
        Parallel.For(0, results.Length, i =>
        {
            using Sequence sequence = tiny.CreateSequence();
            for (int round = 0; round < 5; round++)
            {
                results[i] = tiny.Run(sequence, 6);
            }
        });
        Assert.All(results, result => Assert.Equal(expected, result));
    }

    [Fact]
    public void VariantsShareACheckpointAndDisagreeOnlyByPolicy()
    {
        using var tiny = new TinyModel(static c => ClipLlamaDense.Load(c));
        using VisionLanguageModel vtw = ClipLlamaVtw.Load(tiny.Checkpoint);
        using Sequence dense = tiny.CreateSequence();
        using Sequence exited = vtw.CreateSequence(tiny.PromptTokens + 16);
        tiny.Run(dense, 0);
        Assert.Equal(StepResult.Ready, vtw.Prefill(exited, tiny.Prefix, tiny.Pixels, tiny.Suffix));
        Assert.NotEqual(dense.Logits.ToArray(), exited.Logits.ToArray());
        Assert.True(exited.KeyValueBytes < dense.KeyValueBytes);
        Assert.Throws<ArgumentException>(() => vtw.Decode(dense, 3));
    }

    [Fact]
    public void ParentsMayBeDisposedFirst()
    {
        var tiny = new TinyModel();
        Sequence sequence = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(sequence, 2);
        tiny.Checkpoint.Dispose();
        Assert.Equal(expected, tiny.Run(sequence, 2));
        tiny.Model.Dispose();
        Assert.Equal(expected, tiny.Run(sequence, 2));
        Assert.Throws<ObjectDisposedException>(() => tiny.Model.CreateSequence(100));
        sequence.Dispose();
        sequence.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tiny.Prefill(sequence));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1_000_000)]
    public void TokenIdsAreCheckedBeforeAnythingRuns(int token)
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(sequence, 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.Decode(sequence, token));
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.Prefill(sequence, [token], tiny.Pixels, tiny.Suffix));
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.Prefill(sequence, tiny.Prefix, tiny.Pixels, [token]));
        Assert.Equal(expected[0], sequence.Logits.ToArray());
    }

    [Fact]
    public void ThePlaceholderOfVisualTokensIsNoText()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence();
        int placeholder = tiny.Checkpoint.Geometry.ImageTokenId;
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.Prefill(sequence, tiny.Prefix, tiny.Pixels, [placeholder]));
    }

    [Fact]
    public void WrongPixelCountsAndEmptySuffixesAreRefused()
    {
        using var tiny = new TinyModel();
        using Sequence sequence = tiny.CreateSequence();
        Assert.Throws<ArgumentException>(() => tiny.Model.Prefill(sequence, tiny.Prefix, tiny.Pixels.AsSpan(1), tiny.Suffix));
        Assert.Throws<ArgumentException>(() => tiny.Model.Prefill(sequence, tiny.Prefix, tiny.Pixels, []));
        Assert.Throws<InvalidOperationException>(() => tiny.Model.Decode(sequence, 3));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(37)]
    [InlineData(int.MaxValue)]
    public void CapacitiesAreChecked(int capacity)
    {
        using var tiny = new TinyModel();
        Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.CreateSequence(capacity));
    }

    [Fact]
    public void ACompiledPlanRefusesAnotherCheckpoint()
    {
        using Checkpoint other = Checkpoint.Open(Goldens.Of("clip-llama-f16").CheckpointFolder);
        GeometryMismatchException error = Assert.Throws<GeometryMismatchException>(() => ClipLlamaDense.Load(other));
        Assert.Contains(error.Fields, static f => f.StartsWith("text_config.hidden_size", StringComparison.Ordinal));
    }

    private sealed class Reports(List<LoadProgress> reports) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => reports.Add(value);
    }
}

using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>A loop that does not follow its plan fails; it never answers wrongly. And a loop that is cancelled half way leaves nothing behind.</summary>
public sealed class LoopOrderTests
{
    public static TheoryData<string> WrongLoops() => new(WrongLoop.All.Keys);

    public static TheoryData<string> WrongStages() => new(WrongLoop.Stages.Keys);

    [Theory]
    [MemberData(nameof(WrongLoops))]
    public void AWrongLoopFails(string name)
    {
        using var tiny = new TinyModel(c => new WrongLoop(c, ClipLlamaAll.Plan, WrongLoop.All[name]));
        using Sequence sequence = tiny.CreateSequence();
        Assert.ThrowsAny<InvalidOperationException>(() => tiny.Prefill(sequence));
        Assert.Throws<InvalidOperationException>(() => tiny.Model.Decode(sequence, 3));
    }

    [Theory]
    [MemberData(nameof(WrongStages))]
    public void AWrongStageFails(string name)
    {
        using var tiny = new TinyModel(c => new WrongLoop(c, ClipLlamaPyramid.Plan, WrongLoop.Stages[name]));
        using Sequence sequence = tiny.CreateSequence();
        Assert.ThrowsAny<InvalidOperationException>(() => tiny.Prefill(sequence));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    public void ALoopCancelledHalfWayLeavesTheSequenceUsable(int layer)
    {
        using var tiny = new TinyModel();
        using Sequence alone = tiny.CreateSequence();
        List<float[]> expected = tiny.Run(alone, 3);

        using var cancel = new CancellationTokenSource();
        var loop = new CancellingLoop(tiny.Checkpoint, ClipLlamaAll.Plan) { CancelBefore = layer, Cancel = cancel };
        using var cancelled = new TinyModel(_ => loop);
        using Sequence sequence = cancelled.CreateSequence();
        Assert.Throws<OperationCanceledException>(() => cancelled.Prefill(sequence, cancel.Token));
        loop.CancelBefore = -1;
        Assert.Equal(expected, cancelled.Run(sequence, 3));
    }

    private sealed class CancellingLoop(Checkpoint checkpoint, ReductionPlan plan) : NaiveTwin(checkpoint, plan)
    {
        public int CancelBefore { get; set; }

        public required CancellationTokenSource Cancel { get; init; }

        protected override void BeforeLayer(int layer)
        {
            if (layer == CancelBefore)
            {
                Cancel.Cancel();
            }
        }
    }
}

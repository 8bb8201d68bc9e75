namespace Espalier.Tests;

/// <summary>How many sessions a variant loads.</summary>
internal sealed class SessionCount : IProgress<LoadProgress>
{
    private int _ready;
    private int _total;

    public static int Of(Checkpoint checkpoint, Func<Checkpoint, ModelOptions, VisionLanguageModel> load)
    {
        var count = new SessionCount();
        load(checkpoint, new ModelOptions { Progress = count }).Dispose();
        Assert.Equal(count._total, count._ready);
        return count._total;
    }

    void IProgress<LoadProgress>.Report(LoadProgress value) => (_ready, _total) = (value.Done, value.Total);
}

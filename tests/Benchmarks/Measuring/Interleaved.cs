using System.Diagnostics;

namespace Espalier.Benchmarks.Measuring;

/// <summary>One of the things that are compared.</summary>
/// <param name="Name">For the tables.</param>
/// <param name="Run">What is timed.</param>
/// <param name="Prepare">What comes before each sample and is not timed.</param>
/// <param name="Repeats">Runs in one sample: several where one is too short to time.</param>
internal sealed record Contender(string Name, Action Run, Action? Prepare = null, int Repeats = 1);

/// <summary>Times contenders in turn, A B A B, so that whatever else the machine does falls on all of them alike.</summary>
internal static class Interleaved
{
    /// <summary>Measures.</summary>
    /// <param name="contenders">What is compared.</param>
    /// <param name="warmUp">Rounds that are not counted.</param>
    /// <param name="rounds">Rounds that are counted, at least one.</param>
    /// <param name="progress">Shown after each sample.</param>
    /// <param name="cancellationToken">Looked at before each sample.</param>
    /// <returns>One measurement a contender, in their order.</returns>
    public static Measurement[] Measure(IReadOnlyList<Contender> contenders, int warmUp, int rounds, ProgressLine progress, CancellationToken cancellationToken)
    {
        double[][] wall = [.. contenders.Select(_ => new double[rounds])];
        double[][] cpu = [.. contenders.Select(_ => new double[rounds])];
        for (int round = -warmUp; round < rounds; round++)
        {
            for (int i = 0; i < contenders.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress.Show(
                    round < 0 ? $"warming up: {contenders[i].Name}" : $"round {round + 1} of {rounds}: {contenders[i].Name}",
                    (double)(((round + warmUp) * contenders.Count) + i) / ((rounds + warmUp) * contenders.Count));
                (double wallTime, double cpuTime) = Sample(contenders[i]);
                if (round >= 0)
                {
                    wall[i][round] = wallTime;
                    cpu[i][round] = cpuTime;
                }
            }
        }

        progress.Clear();
        return [.. contenders.Select((contender, i) => new Measurement(contender.Name, wall[i], cpu[i]))];
    }

    private static (double Wall, double Cpu) Sample(Contender contender)
    {
        contender.Prepare?.Invoke();
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        for (int repeat = 0; repeat < contender.Repeats; repeat++)
        {
            contender.Run();
        }

        TimeSpan wall = Stopwatch.GetElapsedTime(start);
        return (wall.TotalMilliseconds / contender.Repeats, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds / contender.Repeats);
    }
}

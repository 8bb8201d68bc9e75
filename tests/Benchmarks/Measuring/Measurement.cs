namespace Espalier.Benchmarks.Measuring;

/// <summary>The median of some numbers, and how far they scatter.</summary>
/// <param name="Minimum">The smallest.</param>
/// <param name="LowerQuartile">A quarter is smaller.</param>
/// <param name="Median">Half is smaller.</param>
/// <param name="UpperQuartile">A quarter is larger.</param>
internal readonly record struct Spread(double Minimum, double LowerQuartile, double Median, double UpperQuartile)
{
    /// <summary>Describes numbers, at least one; between two of them it interpolates.</summary>
    public static Spread Of(IEnumerable<double> numbers)
    {
        double[] sorted = [.. numbers.Order()];
        return new Spread(sorted[0], At(0.25), At(0.5), At(0.75));

        double At(double share)
        {
            double place = share * (sorted.Length - 1);
            int below = (int)place;
            int above = Math.Min(below + 1, sorted.Length - 1);
            return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
        }
    }
}

/// <summary>What the runs of one contender took, round by round.</summary>
/// <param name="Name">The contender.</param>
/// <param name="Wall">Milliseconds of wall time a run.</param>
/// <param name="Cpu">Milliseconds of process CPU time a run, all threads together.</param>
internal sealed record Measurement(string Name, double[] Wall, double[] Cpu)
{
    /// <summary>Wall time.</summary>
    public Spread WallSpread { get; } = Spread.Of(Wall);

    /// <summary>CPU time.</summary>
    public Spread CpuSpread { get; } = Spread.Of(Cpu);

    /// <summary>This contender's time in units of another's.</summary>
    public Ratio To(Measurement other) => new(
        WallSpread.Median / other.WallSpread.Median,
        WallSpread.Minimum / other.WallSpread.Minimum,
        CpuSpread.Median / other.CpuSpread.Median,
        Spread.Of(Wall.Zip(other.Wall, static (mine, others) => mine / others)));
}

/// <summary>The time of one contender in units of another's.</summary>
/// <param name="Wall">Medians of wall time.</param>
/// <param name="Minimum">Best wall times.</param>
/// <param name="Cpu">Medians of CPU time.</param>
/// <param name="Rounds">The ratio of wall times within each round.</param>
internal readonly record struct Ratio(double Wall, double Minimum, double Cpu, Spread Rounds);

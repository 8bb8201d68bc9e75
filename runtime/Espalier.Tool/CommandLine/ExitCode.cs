namespace Espalier.CommandLine;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>A file is missing or broken, or the model refused.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Ended by the user: 128 + SIGINT, as shells have it.</summary>
    public const int Cancelled = 130;
}

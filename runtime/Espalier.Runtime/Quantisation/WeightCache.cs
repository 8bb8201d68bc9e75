using System.Security.Cryptography;
using System.Text;

namespace Espalier;

/// <summary>Finds the files of quantised weights of a checkpoint and of what was learned for it, and makes those that are missing or of no use.</summary>
/// <remarks>They lie in the folder <c>.espalier</c> of the checkpoint's folder or, where that cannot be written to, in the user's cache folder. Safe against other processes that do the same: a file appears whole or not at all.</remarks>
internal static class WeightCache
{
    private const string FolderName = ".espalier";

    /// <summary>How long an unfinished file is left alone, in case somebody still writes it.</summary>
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);

    /// <summary>Opens a file a layout.</summary>
    /// <param name="layouts">The files; their weights may lie in several files of one checkpoint's folder.</param>
    /// <param name="options">Where the files are kept, who is told about the work, and who may end it.</param>
    /// <exception cref="WeightCacheException">A file is missing and cannot be written anywhere.</exception>
    /// <exception cref="NonFiniteWeightException">A weight is infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what was finished stays for the next time.</exception>
    public static IReadOnlyList<QuantisedWeights> Open(IReadOnlyList<QuantisedLayout> layouts, ModelOptions options)
    {
        var opened = new QuantisedWeights?[layouts.Count];
        try
        {
            for (int i = 0; i < opened.Length; i++)
            {
                opened[i] = Find(layouts[i], Folders(layouts[i].Source.Folder, options.CacheFolder), options.CancellationToken);
            }

            int before = 0;
            int total = layouts.Where((_, i) => opened[i] is null).Sum(static layout => layout.Weights.Count);
            for (int i = 0; i < opened.Length; i++)
            {
                if (opened[i] is null)
                {
                    opened[i] = Make(layouts[i], Folders(layouts[i].Source.Folder, options.CacheFolder), done => options.Progress?.Report(new LoadProgress(LoadStage.QuantiseWeights, before + done, total)), options.CancellationToken);
                    before += layouts[i].Weights.Count;
                }
            }

            return opened!;
        }
        catch
        {
            foreach (QuantisedWeights? weights in opened)
            {
                weights?.Dispose();
            }

            throw;
        }
    }

    /// <summary>Where the files of a checkpoint may lie, best first.</summary>
    internal static IReadOnlyList<string> Folders(string folder, string? chosen)
    {
        if (chosen is not null)
        {
            return [Path.Combine(chosen, OwnName(folder))];
        }

        string beside = Path.Combine(folder, FolderName);
        return UserCache() is { } user ? [beside, Path.Combine(user, "espalier", OwnName(folder))] : [beside];
    }

    private static QuantisedWeights? Find(QuantisedLayout layout, IReadOnlyList<string> folders, CancellationToken cancellationToken)
    {
        foreach (string folder in folders)
        {
            if (QuantisedWeights.TryOpen(Path.Combine(folder, layout.FileName), layout, cancellationToken, out QuantisedWeights? weights, out _))
            {
                return weights;
            }
        }

        return null;
    }

    private static QuantisedWeights Make(QuantisedLayout layout, IReadOnlyList<string> folders, Action<int> progress, CancellationToken cancellationToken)
    {
        var findings = new StringBuilder();
        Exception? last = null;
        foreach (string folder in folders)
        {
            string path = Path.Combine(folder, layout.FileName);
            try
            {
                Directory.CreateDirectory(folder);
                RemoveAbandoned(folder);
                WeightQuantisation.Write(path, layout, progress, cancellationToken);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // On Windows, another process that uses its own good file keeps it from being replaced; then that one serves.
                findings.Append(exception.Message).Append(' ');
                last = exception;
            }

            if (QuantisedWeights.TryOpen(path, layout, cancellationToken, out QuantisedWeights? weights, out string? finding))
            {
                return weights;
            }

            findings.Append(path).Append(": ").Append(finding).Append(' ');
        }

        throw new WeightCacheException(layout.Source.Folder, findings.ToString().TrimEnd(), last);
    }

    private static void RemoveAbandoned(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*" + WeightQuantisation.TemporarySuffix))
        {
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(file) > Abandoned)
            {
                File.Delete(file);
            }
        }
    }

    /// <summary>A readable name that no other checkpoint of this machine has.</summary>
    private static string OwnName(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return Path.GetFileName(full) + "-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(full)).AsSpan(0, 8));
    }

    private static string? UserCache()
    {
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } named && Path.IsPathFullyQualified(named))
        {
            return named;
        }

        string folder = OperatingSystem.IsWindows()
            ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return folder.Length == 0 ? null
            : OperatingSystem.IsWindows() ? folder
            : Path.Combine(folder, OperatingSystem.IsMacOS() ? "Library/Caches" : ".cache");
    }
}

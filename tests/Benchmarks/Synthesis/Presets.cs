namespace Espalier.Benchmarks.Synthesis;

/// <summary>The configs that lie beside the program.</summary>
internal static class Presets
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "presets");

    /// <summary>The names, in order.</summary>
    public static IEnumerable<string> Names => Directory.EnumerateDirectories(Folder).Select(static folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal);

    /// <summary>The config of a preset, or the file itself if the argument names one.</summary>
    /// <exception cref="BenchmarkException">It is neither.</exception>
    public static string Find(string nameOrFile)
    {
        if (File.Exists(nameOrFile))
        {
            return nameOrFile;
        }

        return Names.Contains(nameOrFile, StringComparer.Ordinal)
            ? Path.Combine(Folder, nameOrFile, "config.json")
            : throw new BenchmarkException($"'{nameOrFile}' is neither a file nor a preset. The presets are {string.Join(", ", Names)}.");
    }
}

namespace Espalier.Evaluation;

/// <summary>Puts a report into a file without harming what else is in it.</summary>
internal static class ReportFile
{
    /// <summary>The line above the report.</summary>
    public const string Begin = "<!-- evaluate -->";

    /// <summary>The line below the report.</summary>
    public const string End = "<!-- /evaluate -->";

    /// <summary>Says early that a report cannot be written.</summary>
    /// <exception cref="InputException">The file exists and has no place for a report, or its folder does not exist.</exception>
    public static void Check(string path)
    {
        if (File.Exists(path))
        {
            Place(path, File.ReadAllText(path));
        }
        else if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
        {
            throw new InputException($"{path}: the folder {folder} does not exist. Make it, or name another file.");
        }
    }

    /// <summary>Writes a report: a new file, or the part of an existing file that lies between the two lines.</summary>
    /// <exception cref="InputException">The file exists and has no place for a report.</exception>
    public static void Write(string path, string report)
    {
        string text = $"{Begin}\n{report}{End}\n";
        if (File.Exists(path))
        {
            string old = File.ReadAllText(path);
            (int start, int end) = Place(path, old);
            text = string.Concat(old.AsSpan(0, start), text, old.AsSpan(end));
        }

        File.WriteAllText(path, text);
    }

    private static (int Start, int End) Place(string path, string text)
    {
        int begin = text.IndexOf(Begin + "\n", StringComparison.Ordinal);
        int end = begin < 0 ? -1 : text.IndexOf(End + "\n", begin, StringComparison.Ordinal);
        return end < 0
            ? throw new InputException($"{path}: the file exists and has no lines {Begin} and {End} to put the report between. Add them, or name a new file.")
            : (begin, end + End.Length + 1);
    }
}

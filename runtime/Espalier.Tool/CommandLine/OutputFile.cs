using Espalier.Evaluation;

namespace Espalier.CommandLine;

/// <summary>Looks at the file that a command will write.</summary>
internal static class OutputFile
{
    /// <summary>Says at once, and not after minutes of work, that a folder has the file's name.</summary>
    /// <param name="path">The file; null if none is written.</param>
    /// <param name="option">The option that names it.</param>
    /// <exception cref="InputException">It is a folder.</exception>
    public static void Check(string? path, string option)
    {
        if (Directory.Exists(path))
        {
            throw new InputException($"{path}: this is a folder. Name a file with {option}.");
        }
    }
}

using Espalier.Evaluation;

namespace Espalier.CommandLine;

/// <summary>Makes the folder that a command writes to.</summary>
internal static class OutputFolder
{
    /// <summary>Makes a folder, unless it is there.</summary>
    /// <exception cref="InputException">It cannot be made.</exception>
    public static void Make(string path)
    {
        if (File.Exists(path))
        {
            throw new InputException($"{path}: this is a file. Name a folder with --output.");
        }

        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InputException($"{path}: the folder cannot be made ({exception.Message}). Name another with --output.");
        }
    }
}

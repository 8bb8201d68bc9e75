namespace Espalier;

/// <summary>Recognises files without content before they are opened.</summary>
internal static class EmptyFile
{
    /// <summary>True for a file of length zero, and for a pipe or device, which has none: opening a pipe would wait for a writer that may never come.</summary>
    /// <remarks>Links are followed: caches of the Hugging Face Hub are folders of links. False if there is no such file.</remarks>
    /// <exception cref="IOException">The links lead in a circle.</exception>
    public static bool Is(string path) =>
        !Directory.Exists(path)
        && new FileInfo(path) is { Exists: true } file
        && (File.ResolveLinkTarget(path, returnFinalTarget: true) is FileInfo target ? target.Length : file.Length) == 0;
}

namespace Espalier.Tests;

/// <summary>What a machine without Node.js has on its PATH, as far as builds call it.</summary>
internal static class PathWithoutNpm
{
    /// <summary>Makes the folder inside of another one.</summary>
    public static string In(string folder)
    {
        string path = Path.Combine(folder, "without-npm");
        Directory.CreateDirectory(path);
        foreach (string program in (string[])["sh", "tar", "mv"])
        {
            File.CreateSymbolicLink(Path.Combine(path, program), File.Exists("/bin/" + program) ? "/bin/" + program : "/usr/bin/" + program);
        }

        return path;
    }
}

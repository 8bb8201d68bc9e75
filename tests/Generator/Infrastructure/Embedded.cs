using System.Reflection;

namespace Espalier.Tests;

/// <summary>Files that travel inside the test assembly.</summary>
internal static class Embedded
{
    public static string Text(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

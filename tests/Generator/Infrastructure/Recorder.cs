using System.Reflection;

namespace Espalier.Tests;

/// <summary>The part of the runtime that emitted code calls, as a recorder: what the loops do can be read back call by call. That it is the real face of the runtime follows from compiling the same outputs against the runtime.</summary>
/// <remarks>Its files stand in the folder <c>Recorder</c>. They are no part of this assembly, but of each compilation that records.</remarks>
internal static class Recorder
{
    private const string Folder = "Recorder/";

    public static IReadOnlyList<(string Path, string Text)> Sources { get; } =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name => (name, Embedded.Text(name)))];
}

using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.CodeAnalysis;

namespace Espalier.Tests;

/// <summary>Compares generated files with reviewed ones, by the names and rules of Verify.SourceGenerators:
/// <c>Class.Method#Hint.g.verified.cs</c> beside the test, first line <c>//HintName:</c>; what differs is written as <c>.received.cs</c>.</summary>
/// <remarks>To accept a change, look at the difference and rename received to verified.</remarks>
internal static class SnapshotVerifier
{
    private static readonly UTF8Encoding WithMark = new(encoderShouldEmitUTF8Identifier: true);

    public static void Verify(GeneratorRunResult result, [CallerFilePath] string testFile = "", [CallerMemberName] string method = "")
    {
        string folder = Path.GetDirectoryName(testFile)!;
        string prefix = Path.GetFileNameWithoutExtension(testFile) + "." + method + "#";
        var failures = new List<string>();
        var produced = new HashSet<string>(StringComparer.Ordinal);
        foreach (GeneratedSourceResult source in result.GeneratedSources)
        {
            string name = prefix + (source.HintName.EndsWith(".cs", StringComparison.Ordinal) ? source.HintName[..^3] : source.HintName);
            string verified = Path.Combine(folder, name + ".verified.cs");
            string received = Path.Combine(folder, name + ".received.cs");
            produced.Add(verified);
            string text = "//HintName: " + source.HintName + "\n" + source.SourceText.ToString().TrimEnd('\n');
            if (File.Exists(verified) && File.ReadAllText(verified) == text)
            {
                File.Delete(received);
                continue;
            }

            File.WriteAllText(received, text, WithMark);
            failures.Add((File.Exists(verified) ? "differs: " : "new: ") + Path.GetFileName(received));
        }

        failures.AddRange(Directory.EnumerateFiles(folder, prefix + "*.verified.cs").Where(file => !produced.Contains(file)).Select(file => "no longer generated: " + Path.GetFileName(file)));
        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.NotEmpty(produced);
    }
}

using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Espalier.Tests;

/// <summary>What users can call is a decision: a change of it shows in a file beside this one, by the names and rules of Verify.</summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData("Espalier.Attributes")]
    [InlineData("Espalier.Runtime")]
    [InlineData("Espalier.Imaging")]
    [InlineData("Espalier.Extensions.AI")]
    public void ThePublicApiIsTheOneThatWasReviewed(string assembly) => Verify(PublicApi.Of(Assembly.Load(assembly)), assembly);

    private static void Verify(string text, string name, [CallerFilePath] string testFile = "")
    {
        string prefix = Path.Combine(Path.GetDirectoryName(testFile)!, nameof(PublicApiTests) + "." + name);
        string verified = prefix + ".verified.txt";
        string received = prefix + ".received.txt";
        if (File.Exists(verified) && File.ReadAllText(verified) == text)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Fail($"The public API of {name} changed. Read the difference of {Path.GetFileName(received)} and {Path.GetFileName(verified)}; if it is meant, rename received to verified.");
    }
}

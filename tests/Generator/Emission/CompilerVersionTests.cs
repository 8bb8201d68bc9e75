namespace Espalier.Tests;

/// <summary>On which compiler the generator can run at all.</summary>
public sealed class CompilerVersionTests
{
    [Theory]
    [InlineData(typeof(VisionLanguageModelGenerator), "4.8.0.0")]
    [InlineData(typeof(CodeFixes.AddPartialCodeFix), "4.14.0.0")]
    public void RunsOnTheOldestSupportedCompiler(Type type, string version)
    {
        // On an older compiler than it references, a generator is skipped with no more than a warning.
        foreach (System.Reflection.AssemblyName reference in type.Assembly.GetReferencedAssemblies().Where(name => name.Name!.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal)))
        {
            Assert.Equal(version, reference.Version!.ToString());
        }
    }

    [Fact]
    public void TheGeneratorNeedsNoOtherFile() => Assert.Empty(
        typeof(VisionLanguageModelGenerator).Assembly.GetReferencedAssemblies().Select(name => name.Name!)
            .Except(["netstandard", "Microsoft.CodeAnalysis", "Microsoft.CodeAnalysis.CSharp", "System.Collections.Immutable"]));
}

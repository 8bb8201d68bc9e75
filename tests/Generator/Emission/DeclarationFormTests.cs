using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace Espalier.Tests;

/// <summary>The forms in which C# lets a class be declared; each yields code that compiles without a word.</summary>
public sealed class DeclarationFormTests
{
    [Fact]
    public void ClassesOfOneNameInSeveralPlaces() => Assert.Equal(
        ["A.B+C.g.cs", "A.B.g.cs", "A.C.g.cs", "C.g.cs"],
        Generate("""
            using Espalier;
            [VisionLanguageModel("shapes")] public partial class C;
            namespace A { [VisionLanguageModel("shapes")] [FastV] public partial class C; }
            namespace A
            {
                [VisionLanguageModel("shapes")] [FastV] public partial class B
                {
                    [VisionLanguageModel("shapes")] internal partial class C;
                }
            }
            """).Order(StringComparer.Ordinal));

    /// <summary>The compiler takes files whose names differ only in case for one, and an identifier may hold letters that a file's name must not.</summary>
    [Theory]
    [InlineData("namespace A { X class Shapes; X class shapes; X class Other; }", "A.Other.g.cs", "A.Shapes-#.g.cs", "A.shapes-#.g.cs")]
    [InlineData("namespace A { X class C; } namespace a { X class C; }", "A.C-#.g.cs", "a.C-#.g.cs")]
    [InlineData("internal partial class Outer { X class C; } internal partial class outer { X class C; }", "Outer+C-#.g.cs", "outer+C-#.g.cs")]
    [InlineData("namespace A { X class a\u203Fb; X class a\u2040b; X class a_b; }", "A.a_b-#.g.cs", "A.a_b-#.g.cs", "A.a_b.g.cs")]
    public void FilesOfSimilarNamesStayApart(string source, params string[] expected)
    {
        string[] files = Generate("#pragma warning disable CS8981 // Names in lower case.\nusing Espalier; " + source.Replace("X", "[VisionLanguageModel(\"shapes\")] public sealed partial", StringComparison.Ordinal));
        Assert.Equal(files.Length, files.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.Equal(expected, files.Select(file => Regex.Replace(file, "-[0-9a-f]{8}", "-#")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void PartsInSeveralFilesWithPoliciesOnEach()
    {
        GeneratorRunResult result = Compiling.Generate(
            Compiling.Compilation(
            [
                ("1.cs", "using Espalier; [FastV(K = 2)] public partial class C;"),
                ("2.cs", "using Espalier; [VisionLanguageModel(\"shapes\")] partial class C { internal int Count => 3; }"),
                ("3.cs", "using Espalier; [ExitVisual(AfterLayer = 8)] sealed partial class C;"),
            ]),
            out Compilation output);
        Compiling.AssertClean(output);
        string text = Assert.Single(result.GeneratedSources).SourceText.ToString();
        Assert.Contains("prune 144 -> 72", text, StringComparison.Ordinal);
        Assert.Contains("exit 72 -> 0", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("using Model = Espalier.VisionLanguageModelAttribute; using Half = Espalier.FastVAttribute; [Model(\"shapes\")] [Half] public partial class C;")]
    [InlineData("[Espalier.VisionLanguageModelAttribute(\"shapes\"), global::Espalier.FastV()] public partial class C { }")]
    [InlineData("using Espalier; [VisionLanguageModel(model: \"shapes\")] [FastV(K = Numbers.K, R = 1 / 2.0)] public partial class C; internal static class Numbers { public const int K = 2; }")]
    [InlineData("using Espalier; [VisionLanguageModel(nameof(shapes))] [FastV] public partial class C { private static readonly int shapes = 1; internal int Use() => shapes; }")]
    public void AttributesInAllTheirSpellings(string source)
    {
        Generate(source, out string text);
        Assert.Contains("prune 144 -> 72", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("namespace N; [VisionLanguageModel(\"shapes\")] internal sealed partial class C;")]
    [InlineData("namespace N { [VisionLanguageModel(\"shapes\")] public sealed partial class C { } }")]
    [InlineData("namespace N { namespace M { [VisionLanguageModel(\"shapes\")] public partial class C : System.ICloneable { object System.ICloneable.Clone() => this; } } }")]
    [InlineData("namespace @class.@event; [VisionLanguageModel(\"shapes\")] public sealed partial class @record;")]
    [InlineData("namespace Espalier; [VisionLanguageModel(\"shapes\")] public sealed partial class Segment;")]
    [InlineData("[VisionLanguageModel(\"shapes\")] public sealed partial class Reduction;")]
    [InlineData("namespace System; [VisionLanguageModel(\"shapes\")] public sealed partial class Span;")]
    [InlineData("namespace Größe.Модель; [VisionLanguageModel(\"shapes\")] public sealed partial class 模型;")]
    [InlineData("internal partial interface I { [VisionLanguageModel(\"shapes\")] public sealed partial class C; }")]
    [InlineData("internal partial record R { protected partial struct S { [VisionLanguageModel(\"shapes\")] internal sealed partial class C; } }")]
    [InlineData("/// <summary>My model.</summary>\n/// <remarks>Mine.</remarks>\n[VisionLanguageModel(\"shapes\")] public sealed partial class C { /// <summary>Mine.</summary>\npublic int Count { get; private set; } }")]
    public void ClassesInAllTheirPlaces(string source) => Assert.Single(Generate("using Espalier; " + source));

    [Fact]
    public void AMarkerWrittenTwiceIsTheCompilersErrorAlone()
    {
        GeneratorRunResult result = Compiling.Generate(
            Compiling.Compilation("using Espalier; [VisionLanguageModel(\"shapes\")] public partial class C; [VisionLanguageModel(\"shapes\")] partial class C;"), out Compilation output);
        Assert.Single(result.GeneratedSources);
        Assert.Equal("CS0579", Assert.Single(output.GetDiagnostics()).Id);
    }

    [Theory]
    [InlineData("[VisionLanguageModel] public partial class C;")]
    [InlineData("[VisionLanguageModel(1)] public partial class C;")]
    [InlineData("[VisionLanguageModel(null!)] public partial class C;")]
    [InlineData("[VisionLanguageModel(\"shapes\")] [FastV(K = \"two\")] public partial class C;")]
    [InlineData("[VisionLanguageModel(\"shapes\")] [FastV(K = Missing)] public partial class C;")]
    [InlineData("[VisionLanguageModel(\"shapes\")] [FreezeVisual(1, \"x\")] public partial class C;")]
    [InlineData("[VisionLanguageModel(\"shapes\")] [PruneVisual(5)] public partial class C;")]
    [InlineData("[VisionLanguageModel(\"shapes\")] public partial class")]
    [InlineData("[VisionLanguageModel(\"shapes\")] [FreezeVisual(new int[] { 1, ")]
    [InlineData("[VisionLanguageModel(\"shapes\")] public partial class C : Missing;")]
    public async Task CodeThatIsBeingTypedNeverThrows(string source)
    {
        Compiling.Generate(Compiling.Compilation("using Espalier; " + source), out _);
        Assert.DoesNotContain(await Analyzing.Diagnose("using Espalier; " + source), diagnostic => diagnostic.Id.StartsWith("AD", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("[FreezeVisual(null!)]")]
    [InlineData("[ShortV(null!)]")]
    public async Task ANullListIsNoList(string policy)
    {
        Diagnostic found = Assert.Single(await Analyzing.Diagnose("using Espalier; [VisionLanguageModel(\"shapes\")] " + policy + " public partial class C;"));
        Assert.Equal("ESP0110", found.Id);
    }

    private static string[] Generate(string source) => Generate(source, out _);

    private static string[] Generate(string source, out string text)
    {
        GeneratorRunResult result = Compiling.Generate(Compiling.Compilation(source), out Compilation output);
        Compiling.AssertClean(output);
        text = result.GeneratedSources.Last().SourceText.ToString();
        return [.. result.GeneratedSources.Select(generated => generated.HintName)];
    }
}

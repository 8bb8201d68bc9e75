using System.Collections.Immutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Espalier.Tests;

/// <summary>C# on the pages compiles, and what a page calls wrong is refused with that page's id.</summary>
public sealed partial class PageCodeTests
{
    private static readonly string Docs = RepositoryFolder.Combine("generator", "docs");

    /// <summary>Models of the pages that no test has: a SigLIP tower, and one whose CLS token is among the visual tokens.</summary>
    private static readonly ModelFile[] Models =
    [
        .. ModelFile.All,
        new("llava-onevision", ModelFile.Wide.Json),
        new("full", ModelFile.Shapes.Json!.Replace("\"default\"", "\"full\"", StringComparison.Ordinal)),
    ];

    public static TheoryData<string> Diagnostics => [.. Directory.GetFiles(Path.Combine(Docs, "diagnostics"), "*.md").Select(static file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    /// <summary>Pages with classes that a reader copies; blocks of a page belong together.</summary>
    public static TheoryData<string> Pages => ["declare.md", "write-a-scorer.md", .. Directory.GetFiles(Path.Combine(Docs, "methods"), "*.md").Select(static file => "methods/" + Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Diagnostics))]
    public async Task WrongFiresAndRightDoesNot(string id)
    {
        string page = File.ReadAllText(Path.Combine(Docs, "diagnostics", id + ".md"));
        foreach (Match match in Example().Matches(page))
        {
            bool isWrong = match.Groups["title"].Value == "Wrong";
            string text = match.Groups["code"].Value;
            switch (match.Groups["language"].Value)
            {
                case "csharp":
                    ImmutableArray<Diagnostic> found = await Analyzing.Diagnose("using Espalier;\n" + text, Models);
                    Assert.Equal(isWrong ? [id] : [], found.Select(static one => one.Id).Distinct());
                    break;
                case "json":
                    found = await Analyzing.Diagnose("using Espalier; [VisionLanguageModel(\"m\")] public partial class C;", [new ModelFile("m", text)]);
                    Assert.Equal(isWrong, found.Any(one => one.Id == id));
                    break;
                default:
                    Assert.NotEmpty(XElement.Parse($"<Project>{text}</Project>").Elements());
                    break;
            }
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task CodeCompiles(string page)
    {
        string text = File.ReadAllText(Path.Combine(Docs, page));
        string[] blocks = [.. Block().Matches(text).Select(static match => match.Groups["code"].Value)];
        Assert.NotEmpty(blocks);
        string code = string.Join("\n\n", blocks);
        string source = code.Contains("using Espalier;", StringComparison.Ordinal) ? code : "using Espalier;\n" + code;
        Assert.Empty((await Analyzing.Diagnose(source, Models)).Select(static one => one.ToString()));
        CSharpCompilation project = Compiling.Compilation([("Declared.cs", source), ("ImplicitUsings.cs", "global using System;")]);
        Compiling.Generate(project.AddReferences(MetadataReference.CreateFromFile(Path.Combine(AppContext.BaseDirectory, "System.Numerics.Tensors.dll"))), out Compilation output);
        Assert.Empty(output.GetDiagnostics().Where(static one => one.DefaultSeverity == DiagnosticSeverity.Error).Select(static one => one.ToString()));
    }

    [GeneratedRegex(@"^## (?<title>Wrong|Right)\n\n```(?<language>csharp|json|xml)\n(?<code>(?:.*\n)*?)```$", RegexOptions.Multiline)]
    private static partial Regex Example();

    // Quoted blocks stand in files that are compiled.
    [GeneratedRegex(@"(?<!-->\n)^```csharp\n(?<code>(?:.*\n)*?)```$", RegexOptions.Multiline)]
    private static partial Regex Block();
}

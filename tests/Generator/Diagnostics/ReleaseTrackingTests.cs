using System.Text.RegularExpressions;
using Espalier.Diagnostics;
using Espalier.Planning;
using Microsoft.CodeAnalysis;

namespace Espalier.Tests;

/// <summary>Every diagnostic has a page, a row in the register and a descriptor that says what both say.</summary>
public sealed partial class ReleaseTrackingTests
{
    private static readonly string Generator = RepositoryFolder.Combine("generator");

    public static TheoryData<string> Ids => [.. EspalierDiagnostics.All.Select(descriptor => descriptor.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void HasAPage(string id)
    {
        DiagnosticDescriptor descriptor = Find(id);
        string page = File.ReadAllText(Path.Combine(Generator, "docs/diagnostics", id + ".md"));
        Assert.StartsWith("# " + id + ": " + descriptor.Title + "\n", page, StringComparison.Ordinal);
        string severity = descriptor.DefaultSeverity == DiagnosticSeverity.Info ? "Information" : descriptor.DefaultSeverity.ToString();
        Assert.Contains("| Severity | " + severity + " |", page, StringComparison.Ordinal);
        Assert.EndsWith("/generator/docs/diagnostics/" + id + ".md", descriptor.HelpLinkUri, StringComparison.Ordinal);
        AssertMessageMatches(descriptor, MessageOf(page));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void HasARowInTheRegister(string id)
    {
        DiagnosticDescriptor descriptor = Find(id);
        string[] rows = [.. File.ReadAllLines(Path.Combine(Generator, "Espalier.Generator/AnalyzerReleases.Unshipped.md"))
            .Concat(File.ReadAllLines(Path.Combine(Generator, "Espalier.Generator/AnalyzerReleases.Shipped.md")))
            .Where(line => line.StartsWith(id + " |", StringComparison.Ordinal))];
        Assert.Equal($"{id} | {descriptor.Category} | {descriptor.DefaultSeverity} | {descriptor.Title}, [Documentation](../docs/diagnostics/{id}.md)", Assert.Single(rows));
    }

    [Fact]
    public void TheIndexListsEveryPage()
    {
        string index = File.ReadAllText(Path.Combine(Generator, "docs/README.md"));
        Assert.All(EspalierDiagnostics.All, descriptor => Assert.Contains($"| [{descriptor.Id}](diagnostics/{descriptor.Id}.md) | ", index, StringComparison.Ordinal));
        Assert.All(EspalierDiagnostics.All, descriptor => Assert.Contains($" | {descriptor.Title} |\n", index, StringComparison.Ordinal));
        Assert.All(Directory.GetFiles(Path.Combine(Generator, "docs/methods"), "*.md"), page => Assert.Contains("(methods/" + Path.GetFileName(page) + ")", index, StringComparison.Ordinal));
    }

    [Fact]
    public void NoPageIsLeftOver() => Assert.Equal(
        EspalierDiagnostics.All.Select(descriptor => descriptor.Id),
        Directory.GetFiles(Path.Combine(Generator, "docs/diagnostics"), "*.md").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));

    [Fact]
    public void IdsAreUniqueAndReportedByAnAnalyzer()
    {
        string[] ids = [.. EspalierDiagnostics.All.Select(descriptor => descriptor.Id)];
        Assert.Equal(ids.Distinct(), ids);
        Assert.Equal(ids, Analyzing.Analyzers.SelectMany(analyzer => analyzer.SupportedDiagnostics).Select(descriptor => descriptor.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void EveryPlanningProblemHasItsDescriptor()
    {
        foreach (PlanProblemKind kind in Enum.GetValues<PlanProblemKind>())
        {
            PlanProblem problem = new(kind, 0, null, -1, EquatableArray.Of("a", "b", "c", "d", "e"));
            DiagnosticDescriptor descriptor = EspalierDiagnostics.For(problem);
            Assert.Equal(PlanMessages.For(kind), descriptor.MessageFormat.ToString(null));
            Assert.Equal(problem.IsFatal, descriptor.DefaultSeverity == DiagnosticSeverity.Error);
            Assert.DoesNotContain("{", problem.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EveryMethodHasItsPageAndItsAttribute()
    {
        Type[] attributes = [.. typeof(VisualPolicyAttribute).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(VisualPolicyAttribute)))];
        Assert.Equal(
            PolicyMethods.Names.Order(StringComparer.Ordinal),
            attributes.Select(type => type.Name.Split('`')[0][..^"Attribute".Length]).Distinct().Order(StringComparer.Ordinal));
        foreach (string method in Directory.GetFiles(Path.Combine(Path.GetDirectoryName(Generator)!, "attributes/Espalier.Attributes/Methods"), "*Attribute.cs").Select(file => Path.GetFileNameWithoutExtension(file)!))
        {
            string page = File.ReadAllText(Path.Combine(Generator, "docs/methods", method[..^"Attribute".Length] + ".md"));
            foreach (var property in typeof(VisualPolicyAttribute).Assembly.GetType("Espalier." + method, throwOnError: true)!.GetProperties().Where(property => property.CanWrite))
            {
                Assert.Contains("| `" + property.Name + "` |", page, StringComparison.Ordinal);
            }
        }
    }

    private static DiagnosticDescriptor Find(string id) => EspalierDiagnostics.All.Single(descriptor => descriptor.Id == id);

    private static string MessageOf(string page) => MessageRow().Match(page) is { Success: true } match ? match.Groups[1].Value : throw new InvalidOperationException("The page shows no message.");

    private static void AssertMessageMatches(DiagnosticDescriptor descriptor, string example)
    {
        string pattern = "^" + Regex.Replace(Regex.Escape(descriptor.MessageFormat.ToString(null)), @"\\\{\d}", ".+") + "$";
        Assert.Matches(pattern, example);
    }

    [GeneratedRegex("^\\| Message \\| `(.*)` \\|$", RegexOptions.Multiline)]
    private static partial Regex MessageRow();
}

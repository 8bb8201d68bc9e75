using System.Collections.Immutable;
using Espalier.Analyzers;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Espalier.Tests;

/// <summary>Runs all analyzers as a build does: over the user's sources and what the generator added.</summary>
internal static class Analyzing
{
    public static ImmutableArray<DiagnosticAnalyzer> Analyzers { get; } = typeof(DeclaredModelAnalyzer).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(DiagnosticAnalyzer)) && !type.IsAbstract)
        .OrderBy(type => type.Name, StringComparer.Ordinal)
        .Select(type => (DiagnosticAnalyzer)Activator.CreateInstance(type)!)
        .ToImmutableArray();

    /// <summary>Takes the <c>[|places|]</c> out of a source.</summary>
    public static (string Source, ImmutableArray<TextSpan> Places) Unmark(string marked)
    {
        var places = ImmutableArray.CreateBuilder<TextSpan>();
        string source = marked;
        for (int start = source.IndexOf("[|", StringComparison.Ordinal); start >= 0; start = source.IndexOf("[|", StringComparison.Ordinal))
        {
            source = source.Remove(start, 2);
            int end = source.IndexOf("|]", StringComparison.Ordinal);
            source = source.Remove(end, 2);
            places.Add(TextSpan.FromBounds(start, end));
        }

        return (source, places.ToImmutable());
    }

    /// <summary>Our diagnostics of a source, ordered by place; the cost of a plan only if asked for.</summary>
    public static async Task<ImmutableArray<Diagnostic>> Diagnose(
        string source,
        IEnumerable<ModelFile>? models = null,
        LanguageVersion version = LanguageVersion.CSharp13,
        bool withCost = false)
    {
        ImmutableArray<ModelFile> files = [.. models ?? ModelFile.All];
        CSharpCompilation compilation = Compiling.Compilation([("Declared.cs", source)], version: version);
        CSharpGeneratorDriver.Create([new VisionLanguageModelGenerator().AsSourceGenerator()], files, Compiling.ParseOptions.WithLanguageVersion(version), new ModelFileOptions())
            .RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out _);
        ImmutableArray<Diagnostic> all = await Diagnose(output, files);
        return [.. all.Where(diagnostic => withCost || diagnostic.Id != "ESP0401").OrderBy(diagnostic => diagnostic.Location.SourceSpan.Start)];
    }

    public static Task<ImmutableArray<Diagnostic>> Diagnose(Compilation compilation, ImmutableArray<ModelFile> models) => compilation
        .WithAnalyzers(Analyzers, new AnalyzerOptions([.. models], new ModelFileOptions()))
        .GetAnalyzerDiagnosticsAsync();
}

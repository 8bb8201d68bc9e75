using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Espalier.Tests;

/// <summary>Compilations as a user's project makes them, and the generator run on them.</summary>
internal static class Compiling
{
    public static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.CSharp13, DocumentationMode.Diagnose);

    private static readonly Lazy<ImmutableArray<MetadataReference>> References = new(() =>
    {
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        return ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetDirectoryName(path) == framework)
            .Append(typeof(FastVAttribute).Assembly.Location)
            .Append(typeof(Planning.ReductionPlan).Assembly.Location)
            .Select(path => (MetadataReference)MetadataReference.CreateFromFile(path))
            .ToImmutableArray();
    });

    public static CSharpCompilation Compilation(IEnumerable<(string Path, string Text)> sources, bool allowUnsafe = true, LanguageVersion version = LanguageVersion.CSharp13)
    {
        CSharpParseOptions options = ParseOptions.WithLanguageVersion(version);
        return CSharpCompilation.Create(
            "Declared",
            sources.Select(source => CSharpSyntaxTree.ParseText(source.Text, options, source.Path)),
            References.Value,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary,
                nullableContextOptions: NullableContextOptions.Enable,
                allowUnsafe: allowUnsafe,
                warningLevel: 9999,
                generalDiagnosticOption: ReportDiagnostic.Error));
    }

    public static CSharpCompilation Compilation(string source, bool allowUnsafe = true) =>
        Compilation([("Declared.cs", source), ("Contract.cs", RuntimeContract.Source)], allowUnsafe);

    public static GeneratorDriver Driver(params IEnumerable<ModelFile> models) => CSharpGeneratorDriver.Create(
        [new VisionLanguageModelGenerator().AsSourceGenerator()],
        models,
        ParseOptions,
        new ModelFileOptions(),
        new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    /// <summary>Runs the generator over all test models.</summary>
    public static GeneratorRunResult Generate(CSharpCompilation compilation, out Compilation output)
    {
        GeneratorDriver driver = Driver(ModelFile.All).RunGeneratorsAndUpdateCompilation(compilation, out output, out ImmutableArray<Diagnostic> reported);
        Assert.Empty(reported);
        GeneratorRunResult result = driver.GetRunResult().Results.Single();
        Assert.Null(result.Exception);
        return result;
    }

    /// <summary>Requires that the compiler has nothing to say: no error, no warning, no missing documentation.</summary>
    public static void AssertClean(Compilation compilation) =>
        Assert.Empty(compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity != DiagnosticSeverity.Hidden).Select(diagnostic => diagnostic.ToString()));
}

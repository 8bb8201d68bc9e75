extern alias runtime;

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Espalier.Tests;

/// <summary>Compilations as a user's project makes them, and the generator run on them.</summary>
internal static class Compiling
{
    public static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.CSharp13, DocumentationMode.Diagnose);

    private static readonly ImmutableArray<MetadataReference> Framework = [.. Platform().Append(typeof(FastVAttribute).Assembly.Location).Select(Reference)];

    private static readonly MetadataReference Runtime = Reference(typeof(runtime::Espalier.VisionLanguageModel).Assembly.Location);

    private static readonly MetadataReference Planning = Reference(typeof(Espalier.Planning.ReductionPlan).Assembly.Location);

    /// <summary>A project that references the runtime.</summary>
    public static CSharpCompilation Compilation(string source, bool allowUnsafe = true) => Compilation([("Declared.cs", source)], allowUnsafe);

    /// <inheritdoc cref="Compilation(string, bool)"/>
    public static CSharpCompilation Compilation(IEnumerable<(string Path, string Text)> sources, bool allowUnsafe = true, LanguageVersion version = LanguageVersion.CSharp13) =>
        Create(sources, Framework.Add(Runtime), allowUnsafe, version);

    /// <summary>A project with the recorder in place of the runtime; its plans are of the types that the tests use too.</summary>
    public static CSharpCompilation Recording(string source, bool allowUnsafe = true) => Recording([("Declared.cs", source)], allowUnsafe);

    /// <inheritdoc cref="Recording(string, bool)"/>
    public static CSharpCompilation Recording(IEnumerable<(string Path, string Text)> sources, bool allowUnsafe = true) =>
        Create(sources.Concat(Recorder.Sources), Framework.Add(Planning), allowUnsafe, LanguageVersion.CSharp13);

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

    private static CSharpCompilation Create(IEnumerable<(string Path, string Text)> sources, IEnumerable<MetadataReference> references, bool allowUnsafe, LanguageVersion version)
    {
        CSharpParseOptions options = ParseOptions.WithLanguageVersion(version);
        return CSharpCompilation.Create(
            "Declared",
            sources.Select(source => CSharpSyntaxTree.ParseText(source.Text, options, source.Path)),
            references,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary,
                nullableContextOptions: NullableContextOptions.Enable,
                allowUnsafe: allowUnsafe,
                warningLevel: 9999,
                generalDiagnosticOption: ReportDiagnostic.Error));
    }

    private static MetadataReference Reference(string path) => MetadataReference.CreateFromFile(path);

    private static IEnumerable<string> Platform()
    {
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        return ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(path => Path.GetDirectoryName(path) == framework);
    }
}

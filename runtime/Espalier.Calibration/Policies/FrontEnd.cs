using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Espalier.Calibration;

/// <summary>The compiler's front end in this process: C#, the generator and its analyzers, loaded from the generator's file as a build loads them.</summary>
internal static class FrontEnd
{
    private static readonly Lazy<(ImmutableArray<ISourceGenerator> Generators, ImmutableArray<DiagnosticAnalyzer> Analyzers)> Loaded = new(LoadGenerator);

    /// <summary>The language of policies: what the emitted code needs.</summary>
    public static CSharpParseOptions ParseOptions { get; } = new(LanguageVersion.CSharp12);

    /// <summary>The generators of the file.</summary>
    public static ImmutableArray<ISourceGenerator> Generators => Loaded.Value.Generators;

    /// <summary>The analyzers of the file.</summary>
    public static ImmutableArray<DiagnosticAnalyzer> Analyzers => Loaded.Value.Analyzers;

    /// <summary>A compilation of declared classes against this process's runtime.</summary>
    public static CSharpCompilation Compilation(IEnumerable<SyntaxTree> trees) => CSharpCompilation.Create(
        "Espalier.Policies",
        trees,
        References.Value,
        new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary,
            optimizationLevel: OptimizationLevel.Release,
            allowUnsafe: true,
            nullableContextOptions: NullableContextOptions.Enable,
            concurrentBuild: false));

    /// <summary>What a declared class can see: the runtime, the attributes, and what those two refer to.</summary>
    private static readonly Lazy<ImmutableArray<MetadataReference>> References = new(() =>
    {
        Assembly runtime = typeof(VisionLanguageModel).Assembly;
        Assembly attributes = typeof(VisionLanguageModelAttribute).Assembly;
        var platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .DistinctBy(static path => Path.GetFileNameWithoutExtension(path), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(static path => Path.GetFileNameWithoutExtension(path), StringComparer.OrdinalIgnoreCase);
        IEnumerable<string> names = runtime.GetReferencedAssemblies().Concat(attributes.GetReferencedAssemblies())
            .Select(static name => name.Name!)
            .Append(typeof(object).Assembly.GetName().Name!);
        return
        [
            .. names.Distinct(StringComparer.OrdinalIgnoreCase).Where(platform.ContainsKey).Select(name => platform[name])
                .Append(runtime.Location).Append(attributes.Location).Distinct(StringComparer.Ordinal)
                .Select(static path => MetadataReference.CreateFromFile(path)),
        ];
    });

    private static (ImmutableArray<ISourceGenerator>, ImmutableArray<DiagnosticAnalyzer>) LoadGenerator()
    {
        string path = Path.Combine(Path.GetDirectoryName(typeof(FrontEnd).Assembly.Location)!, "compiler", "Espalier.Generator.dll");
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: the generator is not beside the program. Install or build it again.", path);
        }

        var file = new AnalyzerFileReference(path, new Loader());
        string? failure = null;
        file.AnalyzerLoadFailed += (_, problem) => failure ??= problem.Message;
        ImmutableArray<ISourceGenerator> generators = file.GetGenerators(LanguageNames.CSharp);
        ImmutableArray<DiagnosticAnalyzer> analyzers = file.GetAnalyzers(LanguageNames.CSharp);
        return failure is null && !generators.IsEmpty && !analyzers.IsEmpty
            ? (generators, analyzers)
            : throw new InvalidOperationException($"{path}: the compiler cannot load the generator: {failure ?? "the file holds none"}");
    }

    private sealed class Loader : IAnalyzerAssemblyLoader
    {
        public void AddDependencyLocation(string fullPath)
        {
        }

        public Assembly LoadFromPath(string fullPath) => AssemblyLoadContext.GetLoadContext(typeof(FrontEnd).Assembly)!.LoadFromAssemblyPath(fullPath);
    }
}

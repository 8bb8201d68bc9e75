using System.Collections.Immutable;
using System.Reflection;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Emit;

namespace Espalier.Calibration;

/// <summary>Compiles policies that are written as C# attributes, such as <c>[FastV(K = 2, R = 0.5)] [Vtw(K = 9)]</c>, for the model of a folder.</summary>
/// <remarks>
/// The text goes through the same front end as a declared class in a project: the C# compiler, the generator and its analyzers. So the language, the errors and the loop are those of
/// a build. The first compilation of a process takes one to three seconds, later ones tens of milliseconds. Stateless, thread-safe.
/// </remarks>
public static class PolicyCompiler
{
    /// <summary>Compiles policies for one model. A rejected policy does not keep the others from being compiled.</summary>
    /// <param name="folder">The folder with <c>config.json</c>; weights need not be there.</param>
    /// <param name="policies">Attributes, each in its brackets; an empty text is the model without a policy.</param>
    /// <param name="cancellationToken">Ends the compilation.</param>
    /// <exception cref="CheckpointException">The <c>config.json</c> is missing, malformed, or of a model that cannot be run.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static PolicyCompilation Compile(string folder, IReadOnlyList<string> policies, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(policies);
        _ = Checkpoint.ReadGeometry(folder);
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var model = new ModelFile(Path.GetFileName(full) is { Length: > 0 } name ? name : "model", Path.Combine(full, "config.json"));
        PolicySource[] sources = [.. policies.Select((text, i) => new PolicySource(model.Name, i + 1, text, FrontEnd.ParseOptions))];

        var diagnostics = new ILookup<SyntaxTree, Diagnostic>?[sources.Length];
        var excess = sources.Select(static source => source.Excess()).ToArray();
        bool[] compiled = [.. excess.Select(static problem => problem is null)];
        PolicyCompilation.LoadContext? context = null;
        Assembly? assembly = null;
        Compilation? output = null;

        // A file that the compiler rejects keeps it from emitting the others, so they are compiled again without it.
        for (bool rejected = true; rejected && Array.IndexOf(compiled, true) >= 0;)
        {
            int[] round = [.. Enumerable.Range(0, sources.Length).Where(i => compiled[i])];
            ILookup<SyntaxTree, Diagnostic> found = Analyze(model, round.Select(i => sources[i].Tree), cancellationToken, out output);
            rejected = false;
            foreach (int i in round)
            {
                diagnostics[i] = found;
                if (found[sources[i].Tree].Any(static diagnostic => diagnostic.Severity == DiagnosticSeverity.Error && IsOfTheLanguage(diagnostic)))
                {
                    compiled[i] = false;
                    rejected = true;
                }
            }
        }

        if (output is not null && Array.IndexOf(compiled, true) >= 0)
        {
            context = new PolicyCompilation.LoadContext();
            assembly = Emit(output, context, cancellationToken);
        }

        var results = new CompiledPolicy[sources.Length];
        for (int i = 0; i < results.Length; i++)
        {
            PolicySource source = sources[i];
            PolicyDiagnostic[] said = excess[i] is { } problem
                ? [problem]
                : [.. diagnostics[i]![source.Tree].OrderBy(static diagnostic => diagnostic.Location.SourceSpan.Start).ThenBy(static diagnostic => diagnostic.Id, StringComparer.Ordinal).Select(source.Place),
                    .. compiled[i] ? source.Others(output!) : Enumerable.Empty<PolicyDiagnostic>()];
            Type? type = compiled[i] && !said.Any(static diagnostic => diagnostic.IsError) ? assembly!.GetType(source.ClassName, throwOnError: true) : null;
            results[i] = type is null ? new CompiledPolicy(source.Text, said) : Compiled(source, said, type, output!);
        }

        return new PolicyCompilation(results, context);
    }

    /// <summary>Runs generator, compiler and analyzers. Errors and warnings by file.</summary>
    private static ILookup<SyntaxTree, Diagnostic> Analyze(ModelFile model, IEnumerable<SyntaxTree> trees, CancellationToken cancellationToken, out Compilation output)
    {
        var options = new ModelFile.Options();
        CSharpGeneratorDriver
            .Create(FrontEnd.Generators, [model], FrontEnd.ParseOptions, options)
            .RunGeneratorsAndUpdateCompilation(FrontEnd.Compilation(trees), out output, out ImmutableArray<Diagnostic> ofGenerators, cancellationToken);
        ImmutableArray<Diagnostic> all = output
            .WithAnalyzers(FrontEnd.Analyzers, new AnalyzerOptions([model], options))
            .GetAllDiagnosticsAsync(cancellationToken).GetAwaiter().GetResult();
        return ofGenerators.Concat(all)
            .Where(static diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning && diagnostic.Location.SourceTree is not null)
            .ToLookup(static diagnostic => diagnostic.Location.SourceTree!);
    }

    private static Assembly Emit(Compilation compilation, PolicyCompilation.LoadContext context, CancellationToken cancellationToken)
    {
        using var image = new MemoryStream();
        EmitResult result = compilation.Emit(image, cancellationToken: cancellationToken);
        if (!result.Success)
        {
            throw new InvalidOperationException("The generated code does not compile, which is an error of the generator: " + string.Join(" ", result.Diagnostics.Where(static diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)));
        }

        image.Position = 0;
        return context.LoadFromStream(image);
    }

    private static CompiledPolicy Compiled(PolicySource source, IReadOnlyList<PolicyDiagnostic> diagnostics, Type type, Compilation output)
    {
        const BindingFlags Static = BindingFlags.Public | BindingFlags.Static;
        return new CompiledPolicy(
            source.Text,
            diagnostics,
            (ReductionPlan)type.GetProperty("Plan", Static)!.GetValue(null)!,
            output.SyntaxTrees.First(tree => Path.GetFileName(tree.FilePath) == source.ClassName + ".g.cs").ToString(),
            type.GetMethod("Load", Static)!.CreateDelegate<Func<Checkpoint, ModelOptions?, VisionLanguageModel>>());
    }

    /// <summary>Errors of C# itself keep the compiler from emitting; errors of analyzers do not, and their class has no generated part.</summary>
    private static bool IsOfTheLanguage(Diagnostic diagnostic) => diagnostic.Id.StartsWith("CS", StringComparison.Ordinal);
}

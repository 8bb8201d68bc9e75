extern alias GeneratorAssembly;

using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using Xunit.Abstractions;
using Generator = GeneratorAssembly::Espalier.VisionLanguageModelGenerator;

namespace Espalier.Tests;

/// <summary>The generated loop against the naive twin, over random plans that are declared, compiled and run here.</summary>
public sealed class NaiveTwinTests(ITestOutputHelper output)
{
    private const int Plans = 220;

    [Fact]
    public void EveryGeneratedLoopEqualsItsNaiveTwinBitForBit()
    {
        using var tiny = new TinyModel();
        IReadOnlyList<string> declarations = new RandomPolicies(tiny.Checkpoint.Geometry, seed: 20_26).Take(Plans);
        Assembly assembly = Compile(declarations);
        int reduced = 0;
        for (int i = 0; i < declarations.Count; i++)
        {
            Type type = assembly.GetType("Random.Variant" + i)!;
            var plan = (ReductionPlan)type.GetProperty("Plan", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
            var load = type.GetMethod("Load", BindingFlags.Public | BindingFlags.Static)!;
            using var generated = (VisionLanguageModel)load.Invoke(null, [tiny.Checkpoint, null])!;
            using var twin = new NaiveTwin(tiny.Checkpoint, plan);
            List<float[]> expected, actual;
            try
            {
                expected = Run(tiny, twin);
                actual = Run(tiny, generated);
            }
            catch (InvalidOperationException problem)
            {
                throw new InvalidOperationException($"{problem.Message}\n{declarations[i]}\n{plan}", problem);
            }

            for (int step = 0; step < expected.Count; step++)
            {
                Assert.True(expected[step].AsSpan().SequenceEqual(actual[step]), $"Step {step} differs for\n{declarations[i]}\n{plan}");
            }

            reduced += plan.IsDense ? 0 : 1;
        }

        output.WriteLine($"{declarations.Count} plans, {reduced} of them reduced.");
        Assert.Equal(Plans - 1, reduced);
    }

    private static List<float[]> Run(TinyModel tiny, VisionLanguageModel model)
    {
        using Sequence sequence = model.CreateSequence(tiny.Prefix.Length + model.LoadedPlan.ImagePositions + tiny.Suffix.Length + 4);
        Assert.Equal(StepResult.Ready, model.Prefill(sequence, tiny.Prefix, tiny.Pixels, tiny.Suffix));
        var logits = new List<float[]> { sequence.Logits.ToArray() };
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(StepResult.Ready, model.Decode(sequence, 40 + i));
            logits.Add(sequence.Logits.ToArray());
        }

        return logits;
    }

    private static Assembly Compile(IReadOnlyList<string> declarations)
    {
        var source = new StringBuilder("using Espalier;\nnamespace Random;\n");
        for (int i = 0; i < declarations.Count; i++)
        {
            source.Append("[VisionLanguageModel(\"clip-llama\")]\n").Append(declarations[i]).Append("\npublic sealed partial class Variant").Append(i).Append(";\n");
        }

        string platform = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        var parse = new CSharpParseOptions(LanguageVersion.CSharp12);
        CSharpCompilation compilation = CSharpCompilation.Create(
            "RandomPlans",
            [CSharpSyntaxTree.ParseText(source.ToString(), parse)],
            [.. platform.Split(Path.PathSeparator).Where(static path => Path.GetFileName(path) != "Espalier.Generator.dll").Select(static path => MetadataReference.CreateFromFile(path))],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        string config = Path.Combine(Goldens.Of("clip-llama").CheckpointFolder, "config.json");
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new Generator().AsSourceGenerator()],
            [new ConfigText(config)],
            parse,
            new ModelOptionsProvider("clip-llama"));
        driver.RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out _);
        using var image = new MemoryStream();
        ImmutableArray<Diagnostic> diagnostics = output.Emit(image).Diagnostics;
        Assert.Empty(diagnostics.Where(static d => d.Severity >= DiagnosticSeverity.Warning));
        image.Position = 0;
        return new AssemblyLoadContext("RandomPlans", isCollectible: true).LoadFromStream(image);
    }

    private sealed class ConfigText(string path) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(File.ReadAllText(path), Encoding.UTF8);
    }

    private sealed class ModelOptionsProvider(string model) : Microsoft.CodeAnalysis.Diagnostics.AnalyzerConfigOptionsProvider
    {
        public override Microsoft.CodeAnalysis.Diagnostics.AnalyzerConfigOptions GlobalOptions { get; } = new Options(null);

        public override Microsoft.CodeAnalysis.Diagnostics.AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override Microsoft.CodeAnalysis.Diagnostics.AnalyzerConfigOptions GetOptions(AdditionalText textFile) => new Options(model);
    }

    private sealed class Options(string? model) : Microsoft.CodeAnalysis.Diagnostics.AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value)
        {
            value = key == "build_metadata.AdditionalFiles.EspalierModel" ? model : null;
            return value is not null;
        }
    }
}

using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime;
using System.Runtime.Loader;
using System.Text;
using Espalier.Benchmarks.Measuring;
using Espalier.Benchmarks.Synthesis;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>generator</c>: how long a compiler that is warm itself waits for the generator, the first time and after a keystroke elsewhere.</summary>
internal static class GeneratorTiming
{
    private const string Preset = "llava-7b-thin";

    private const string Source = $"""
        [Espalier.VisionLanguageModel("{Preset}")]
        [Espalier.FastV(K = 2, R = 0.5)]
        [Espalier.ShortV(5, 3, 4)]
        public sealed partial class Reduced;
        """;

    private static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.CSharp12);

    public static Command CreateCommand()
    {
        var rounds = new Option<int>("--rounds") { Description = "Cold runs, each of a freshly loaded generator.", DefaultValueFactory = _ => 9 };
        rounds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--rounds is at least 1.");
            }
        });
        var output = new Option<string?>("--output") { Description = "Also write the results to this Markdown file." };
        var command = new Command("generator", "The generator in a compiler that is warm: cold, and after a keystroke elsewhere.") { rounds, output };
        command.SetAction(parsed =>
        {
            var report = new Report();
            report.Head("generator");
            report.Say($"{Machine.Processor}, {Environment.ProcessorCount} processors, .NET {Environment.Version}, commit {Machine.Commit}. Load average before: {Machine.Load}.");
            Measure(report, parsed.GetValue(rounds));
            report.Say($"Load average after: {Machine.Load}.");
            if (parsed.GetValue(output) is { } file)
            {
                report.Save(file);
            }
        });
        return command;
    }

    private static void Measure(Report report, int rounds)
    {
        CSharpCompilation compilation = Compile();
        AdditionalText[] models = [new Config(Presets.Find(Preset))];
        string generator = Path.Combine(AppContext.BaseDirectory, "generator", "Espalier.Generator.dll");

        // The first run warms the compiler's own pipeline, which other generators of a build use as well.
        GeneratorDriver driver = Run(generator, models, compilation);
        var cold = new List<(double Wall, double Cpu, long Methods)>();
        var keystroke = new List<(double Wall, double Cpu, long Methods)>();
        SyntaxTree declared = compilation.SyntaxTrees[0];
        for (int i = 0; i < rounds; i++)
        {
            cold.Add(Time(() => Run(generator, models, compilation)));
            CSharpCompilation edited = compilation.ReplaceSyntaxTree(declared, CSharpSyntaxTree.ParseText(Source + "\n// keystroke " + i.ToString(CultureInfo.InvariantCulture), ParseOptions, declared.FilePath));
            keystroke.Add(Time(() => driver.RunGenerators(edited)));
        }

        var table = new MarkdownTable("generator", "best ms", "median ms", "best CPU ms", "methods compiled");
        Add("cold", cold);
        Add("after a keystroke elsewhere", keystroke);
        report.Add(table);

        void Add(string name, List<(double Wall, double Cpu, long Methods)> samples)
        {
            Spread wall = Spread.Of(samples.Select(static sample => sample.Wall));
            table.Add(
                name,
                wall.Minimum.ToString("F2", CultureInfo.InvariantCulture),
                wall.Median.ToString("F2", CultureInfo.InvariantCulture),
                samples.Min(static sample => sample.Cpu).ToString("F2", CultureInfo.InvariantCulture),
                samples.Min(static sample => sample.Methods).ToString(CultureInfo.InvariantCulture));
        }
    }

    private static (double Wall, double Cpu, long Methods) Time(Action run)
    {
        long compiled = JitInfo.GetCompiledMethodCount();
        TimeSpan busy = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        run();
        return (watch.Elapsed.TotalMilliseconds, (Environment.CpuUsage.TotalTime - busy).TotalMilliseconds, JitInfo.GetCompiledMethodCount() - compiled);
    }

    /// <summary>Loads the generator into a context of its own, where all of its code is compiled again, and runs it.</summary>
    private static GeneratorDriver Run(string assembly, AdditionalText[] models, CSharpCompilation compilation)
    {
        var context = new AssemblyLoadContext("cold", isCollectible: true);
        Type type = context.LoadFromAssemblyPath(assembly).GetType("Espalier.VisionLanguageModelGenerator", throwOnError: true)!;
        var generator = (IIncrementalGenerator)Activator.CreateInstance(type)!;
        GeneratorDriver driver = CSharpGeneratorDriver.Create([generator.AsSourceGenerator()], models, ParseOptions, new ConfigOptions()).RunGenerators(compilation);
        context.Unload();
        return driver.GetRunResult().GeneratedTrees.Length == 1 ? driver : throw new BenchmarkException("The generator wrote nothing for the benchmark's own class.");
    }

    private static CSharpCompilation Compile() => CSharpCompilation.Create(
        "Declared",
        [CSharpSyntaxTree.ParseText(Source, ParseOptions, "Declared.cs"), CSharpSyntaxTree.ParseText("public static class Other;", ParseOptions, "Other.cs")],
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(static path => MetadataReference.CreateFromFile(path)),
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));

    /// <summary>The <c>config.json</c> of the preset, as the build hands it to the compiler.</summary>
    private sealed class Config(string path) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(File.ReadAllText(path), Encoding.UTF8);
    }

    private sealed class ConfigOptions : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Values(ImmutableDictionary<string, string>.Empty);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) =>
            new Values(ImmutableDictionary<string, string>.Empty.Add("build_metadata.AdditionalFiles.EspalierModel", Preset));

        private sealed class Values(ImmutableDictionary<string, string> values) : AnalyzerConfigOptions
        {
            public override bool TryGetValue(string key, [NotNullWhen(true)] out string? value) => values.TryGetValue(key, out value);
        }
    }
}

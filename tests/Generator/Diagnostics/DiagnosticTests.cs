using System.Collections.Immutable;
using System.Globalization;
using Espalier.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Espalier.Tests;

/// <summary>Every diagnostic fires at the exact place, with the exact message and nothing beside it, and stays away from its near misses.</summary>
public sealed class DiagnosticTests
{
    private const string Usings = "using Espalier;\n";

    /// <summary>Ids whose tests need another project than the usual one; they follow below.</summary>
    private static readonly string[] ProjectIds = ["ESP0301", "ESP0302", "ESP0303", "ESP0304", "ESP0305", "ESP0306", "ESP0401", "ESP0144"];

    public static TheoryData<DiagnosticCase> FiringCases => [.. DiagnosticCases.Firing];

    public static TheoryData<DiagnosticCase> QuietCases => [.. DiagnosticCases.Quiet];

    [Theory]
    [MemberData(nameof(FiringCases))]
    public Task Fires(DiagnosticCase expected) => AssertFires(expected, ModelFile.All);

    [Theory]
    [MemberData(nameof(QuietCases))]
    public async Task StaysAway(DiagnosticCase expected) => Assert.Empty(await Analyzing.Diagnose(Usings + expected.Source));

    [Theory]
    [InlineData("\"default\"", "\"full\"", "this model counts its CLS token among the visual tokens (vision_feature_select_strategy is \"full\")")]
    [InlineData("\"vision_feature_layer\": -2", "\"vision_feature_layer\": 0", "no layer of the vision tower runs for the features of this model")]
    public Task TowersInsideWhichNothingCanBeReduced(string from, string to, string why)
    {
        Assert.Contains(from, ModelFile.Shapes.Json!, StringComparison.Ordinal);
        return AssertFires(
            new("ESP0144", "[VisionLanguageModel(\"full\")]\n[[|ToMe(R = 5)|]]\npublic sealed partial class C;", "'ToMe(R = 5)' reduces visual tokens inside the vision tower, but " + why),
            [new ModelFile("full", ModelFile.Shapes.Json!.Replace(from, to, StringComparison.Ordinal))]);
    }

    [Fact]
    public Task UnknownModelNamesTheKnownOnes() => AssertFires(
        new("ESP0301", "[VisionLanguageModel([|\"Shapes\"|])] public partial class C;", "The project declares no model named 'Shapes'; it declares 'llava-1.5-7b', 'shapes', 'wide'"), ModelFile.All);

    [Fact]
    public Task UnknownModelWithoutAnySaysHowToAddOne() => AssertFires(
        new("ESP0301", "[VisionLanguageModel([|\"shapes\"|])] public partial class C;", "The project declares no model named 'shapes'; it declares none; add <EspalierModel Include=\"folder of the model\" />"),
        [new ModelFile(null, "{}", "/other.json")]);

    [Fact]
    public Task ConfigThatIsMissing() => AssertFires(
        new("ESP0302", "[VisionLanguageModel([|\"gone\"|])] public partial class C;", "The config.json of model 'gone' cannot be read: '/models/gone/config.json'"), [new ModelFile("gone", null)]);

    [Theory]
    [InlineData("{ \"model_type\": \"llava\", }", "The file is not valid JSON. A field name in double quotes was expected. (line 1, column 26)")]
    [InlineData("", "The file is not valid JSON. A JSON value was expected, but the text ends. (line 1, column 1)")]
    [InlineData("{ \"text_config\": { \"a\": 1, \"a\": 2 } }", "text_config.a is given twice (line 1, column 28). Keep one of the two: other readers may take the other one")]
    public Task ConfigThatIsMalformed(string json, string why) => AssertFires(
        new("ESP0303", "[VisionLanguageModel([|\"bad\"|])] public partial class C;", "The config.json of model 'bad' is malformed: " + why), [new ModelFile("bad", json)]);

    [Theory]
    [InlineData("{ \"model_type\": \"idefics3\" }", "model_type is \"idefics3\" (line 1, column 17). Supported: llava")]
    [InlineData("{}", "model_type is absent. It names the family of the model; supported: llava")]
    [InlineData("{ \"model_type\": \"llava\", \"text_config\": { \"num_hidden_layers\": \"ten\" } }", null)]
    public async Task ConfigThatCannotBeRun(string json, string? why)
    {
        ImmutableArray<Diagnostic> found = await Analyzing.Diagnose("using Espalier; [VisionLanguageModel(\"bad\")] public partial class C;", [new ModelFile("bad", json)]);
        Diagnostic one = Assert.Single(found);
        Assert.Equal("ESP0304", one.Id);
        string message = one.GetMessage(CultureInfo.InvariantCulture);
        Assert.StartsWith("The model 'bad' cannot be run because of its config.json: " + (why ?? "text_config.num_hidden_layers is \"ten\""), message, StringComparison.Ordinal);
    }

    [Fact]
    public Task TwoModelsOfOneName() => AssertFires(
        new("ESP0305", "[VisionLanguageModel([|\"shapes\"|])] public partial class C;", "The project declares model 'shapes' more than once: '/a/config.json', '/b/config.json'"),
        [new ModelFile("shapes", ModelFile.Shapes.Json, "/b/config.json"), new ModelFile("shapes", ModelFile.Shapes.Json, "/a/config.json")]);

    [Fact]
    public async Task UsableModelsAreNotMentioned() => Assert.Empty(await Analyzing.Diagnose("using Espalier; [VisionLanguageModel(\"wide\")] public partial class C;"));

    [Fact]
    public async Task OldLanguageVersion()
    {
        const string Source = "using Espalier; [VisionLanguageModel(\"shapes\")] public partial class C { }";
        Diagnostic found = Assert.Single(await Analyzing.Diagnose(Source, version: LanguageVersion.CSharp11));
        Assert.Equal("ESP0306", found.Id);
        Assert.Equal("The code generated for 'C' needs C# 12, but this project is compiled as C# 11.0", found.GetMessage(CultureInfo.InvariantCulture));
        Assert.Equal("C", Source.Substring(found.Location.SourceSpan.Start, found.Location.SourceSpan.Length));
        Assert.Empty(await Analyzing.Diagnose(Source, version: LanguageVersion.CSharp12));
    }

    [Fact]
    public async Task CostIsShownOnEveryPlannedClass()
    {
        (string source, ImmutableArray<TextSpan> places) = Analyzing.Unmark("using Espalier; [VisionLanguageModel(\"shapes\")] [FastV] [ExitVisual(AfterLayer = 8)] public partial class [|C|];");
        Diagnostic cost = Assert.Single(await Analyzing.Diagnose(source, withCost: true));
        Assert.Equal("ESP0401", cost.Id);
        Assert.Equal(DiagnosticSeverity.Info, cost.Severity);
        Assert.Equal(places.Single(), cost.Location.SourceSpan);
        Assert.Equal(
            "'C': 144 visual tokens, 72 after layer 1, 0 after layer 8. Visual rows computed: 792 of 1,440 (55.0 %). "
            + "Prefill with 64 text tokens: 1.330 of 2.019 GFLOPs (65.9 %, convention C); KV cache in fp32: 1.0 of 1.5 MiB (68.8 %)",
            cost.GetMessage(CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task CostIsNotShownWithoutAPlan() =>
        Assert.DoesNotContain(await Analyzing.Diagnose("using Espalier; [VisionLanguageModel(\"shapes\")] [FastV(K = 0)] public partial class C;", withCost: true), found => found.Id == "ESP0401");

    [Fact]
    public async Task SeveralProblemsAreAllReported()
    {
        ImmutableArray<Diagnostic> found = await Analyzing.Diagnose(Usings + "[VisionLanguageModel(\"shapes\")] [FastV(K = 0, R = 0.5)] [ShortV(4, 44)] [ExitVisual(AfterLayer = 9)] public class C;");
        Assert.Equal(["ESP0102", "ESP0101", "ESP0103", "ESP0001"], found.Select(one => one.Id));
    }

    [Fact]
    public async Task PragmaSilencesAWarning() => Assert.Empty(
        (await Analyzing.Diagnose(Usings + "#pragma warning disable ESP0109\n[VisionLanguageModel(\"shapes\")] [FreezeVisual(6, 5)] public partial class C;")).Where(one => !one.IsSuppressed));

    [Fact]
    public async Task NothingIsSaidWithoutOurAttributes() => Assert.Empty(await Analyzing.Diagnose("[System.Serializable] public class C;", withCost: true));

    [Fact]
    public void EveryDescriptorHasAFiringAndAQuietCase()
    {
        string[] ids = [.. EspalierDiagnostics.All.Select(descriptor => descriptor.Id).Except(ProjectIds)];
        Assert.Equal(ids, DiagnosticCases.Firing.Select(one => one.Id).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(ids, DiagnosticCases.Quiet.Select(one => one.Id).Distinct().Order(StringComparer.Ordinal));
    }

    private static async Task AssertFires(DiagnosticCase expected, IEnumerable<ModelFile> models)
    {
        (string source, ImmutableArray<TextSpan> places) = Analyzing.Unmark(Usings + expected.Source);
        Diagnostic found = Assert.Single(await Analyzing.Diagnose(source, models));
        Assert.Equal(expected.Id, found.Id);
        Assert.Equal(expected.Message, found.GetMessage(CultureInfo.InvariantCulture));
        Assert.Equal(places.Single(), found.Location.SourceSpan);
        Assert.Equal("Declared.cs", found.Location.SourceTree?.FilePath);
    }
}

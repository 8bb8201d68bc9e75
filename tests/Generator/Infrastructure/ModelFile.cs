using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Espalier.Tests;

/// <summary>A <c>config.json</c> as the build hands it to the compiler. A null text is a file that cannot be read; a null name an additional file that is no model.</summary>
internal sealed class ModelFile(string? name, string? json, string? path = null) : AdditionalText
{
    public static ModelFile Shapes { get; } = new("shapes", Embedded.Text("Models/shapes.json"));

    public static ModelFile Llava { get; } = new("llava-1.5-7b", Embedded.Text("Models/llava-1.5-7b.json"));

    public static ModelFile Wide { get; } = new("wide", Embedded.Text("Models/wide.json"));

    public static ImmutableArray<ModelFile> All { get; } = [Shapes, Llava, Wide];

    public string? Name => name;

    public string? Json => json;

    public override string Path { get; } = path ?? $"/models/{name}/config.json";

    public override SourceText? GetText(CancellationToken cancellationToken = default) => json is null ? null : SourceText.From(json, Encoding.UTF8);
}

/// <summary>The item metadata of <see cref="ModelFile"/>s, as MSBuild writes it for the compiler.</summary>
internal sealed class ModelFileOptions : AnalyzerConfigOptionsProvider
{
    public override AnalyzerConfigOptions GlobalOptions { get; } = new Options(null);

    public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

    public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => new Options((textFile as ModelFile)?.Name);

    private sealed class Options(string? name) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, [NotNullWhen(true)] out string? value)
        {
            value = key == "build_metadata.AdditionalFiles.EspalierModel" ? name : null;
            return value is not null;
        }
    }
}

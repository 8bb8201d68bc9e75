using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Espalier.Calibration;

/// <summary>A model's <c>config.json</c> as a build hands it to the compiler.</summary>
internal sealed class ModelFile(string name, string path) : AdditionalText
{
    /// <summary>The name of the model.</summary>
    public string Name => name;

    /// <inheritdoc/>
    public override string Path => path;

    /// <inheritdoc/>
    public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(File.ReadAllText(path), Encoding.UTF8);

    /// <summary>The item metadata by which the compiler knows the file, as <c>Espalier.Generator.targets</c> sets it.</summary>
    public sealed class Options : AnalyzerConfigOptionsProvider
    {
        /// <inheritdoc/>
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Metadata(null);

        /// <inheritdoc/>
        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        /// <inheritdoc/>
        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => new Metadata((textFile as ModelFile)?.Name);

        private sealed class Metadata(string? name) : AnalyzerConfigOptions
        {
            public override bool TryGetValue(string key, [NotNullWhen(true)] out string? value)
            {
                value = key == "build_metadata.AdditionalFiles.EspalierModel" ? name : null;
                return value is not null;
            }
        }
    }
}

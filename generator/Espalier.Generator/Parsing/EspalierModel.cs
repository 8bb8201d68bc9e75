using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Espalier.Parsing;

/// <summary>An additional file that the project declared as a model.</summary>
/// <param name="Name">The name of the model.</param>
/// <param name="Config">Its <c>config.json</c>.</param>
internal sealed record EspalierModelItem(string Name, AdditionalText Config)
{
    /// <summary>The metadata by which the build marks the file; see build/Espalier.Generator.targets.</summary>
    public const string Metadata = "build_metadata.AdditionalFiles.EspalierModel";

    /// <summary>The file as a model, or null if it is something else.</summary>
    public static EspalierModelItem? From(AdditionalText file, AnalyzerConfigOptionsProvider options) =>
        options.GetOptions(file).TryGetValue(Metadata, out string? name) && name.Length > 0 ? new EspalierModelItem(name, file) : null;

    /// <summary>Reads the file.</summary>
    public EspalierModel Read(CancellationToken cancellation)
    {
        string? json = Config.GetText(cancellation)?.ToString();
        return new EspalierModel(Name, Config.Path, json is null ? null : ModelGeometryReader.Read(json));
    }
}

/// <summary>A model that the project declared.</summary>
/// <param name="Name">The name that <c>[VisionLanguageModel]</c> refers to.</param>
/// <param name="ConfigPath">Where its <c>config.json</c> lies; for messages only.</param>
/// <param name="Reading">The geometry, or what is wrong with the file; null if the file could not be read.</param>
internal sealed record EspalierModel(string Name, string ConfigPath, GeometryReading? Reading)
{
    /// <summary>The shapes, if they could be read.</summary>
    public ModelGeometry? Geometry => Reading?.Geometry;
}

/// <summary>All models that the project declared, the same whatever the order in which the build names the files.</summary>
/// <remarks>A class around the list, so that the compiler's pipeline, which is precompiled for references, is not compiled again for a struct of ours.</remarks>
/// <param name="All">The models, sorted by name.</param>
internal sealed record EspalierModels(EquatableArray<EspalierModel> All)
{
    public static EspalierModels From(IEnumerable<EspalierModel> models) =>
        new(models.OrderBy(model => model.Name, StringComparer.Ordinal).ThenBy(model => model.ConfigPath, StringComparer.Ordinal).ToEquatableArray());

    /// <summary>All models of a compilation, for the analyzers.</summary>
    public static EspalierModels From(AnalyzerOptions options, CancellationToken cancellation) => From(options.AdditionalFiles
        .Select(file => EspalierModelItem.From(file, options.AnalyzerConfigOptionsProvider))
        .Where(item => item is not null)
        .Select(item => item!.Read(cancellation)));

    /// <summary>The models of a name: one, if all is well.</summary>
    public IReadOnlyList<EspalierModel> Named(string name) => All.Where(model => string.Equals(model.Name, name, StringComparison.Ordinal)).ToList();
}

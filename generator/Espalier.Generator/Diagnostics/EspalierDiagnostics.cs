using System;
using System.Collections.Immutable;
using System.Linq;
using Espalier.Planning;
using Microsoft.CodeAnalysis;

namespace Espalier.Diagnostics;

/// <summary>Every diagnostic. Blocks: 0001 the class, 0101 layers, 0201 token counts, 0301 the project, 0401 information. An id is never used again.</summary>
internal static partial class EspalierDiagnostics
{
    private const string Category = "Espalier";

    /// <summary>Where the repository is published: the one place that says so.</summary>
    private const string Repository = "https://github.com/espalier-net/espalier";

    /// <summary>All of them, ordered by id.</summary>
    public static ImmutableArray<DiagnosticDescriptor> All => Shape.AddRange(Plan).Add(PartsOfQuantisedWeights).AddRange(Project).Sort((left, right) => string.CompareOrdinal(left.Id, right.Id));

    /// <summary>What is wrong with the policies of a class. Put together when asked: fields of a class in several files have no order.</summary>
    public static ImmutableArray<DiagnosticDescriptor> Plan => Layers.AddRange(Vision).AddRange(Counts).AddRange(Partial);

    /// <summary>The descriptor of a planning problem.</summary>
    public static DiagnosticDescriptor For(PlanProblem problem) => Plan.First(descriptor => string.Equals(descriptor.Id, problem.Id, StringComparison.Ordinal));

    private static string HelpLink(string id) => Repository + "/blob/main/generator/docs/diagnostics/" + id + ".md";
}

using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>What a method sees while it is lowered: its own arguments and the model; and where it puts the primitives that it stands for.</summary>
internal sealed class PolicyLowering
{
    private readonly PolicyDeclaration _declaration;
    private readonly int _policy;
    private readonly string _text;

    public PolicyLowering(PolicyDeclaration declaration, int policy, ModelGeometry geometry)
    {
        _declaration = declaration;
        _policy = policy;
        _text = declaration.ToString();
        Geometry = geometry;
    }

    public ModelGeometry Geometry { get; }

    public List<Prune> Prunes { get; } = new();

    public List<Exit> Exits { get; } = new();

    public List<Freeze> Freezes { get; } = new();

    public List<PlanProblem> Problems { get; } = new();

    public bool Has(string argument) => _declaration.Arguments.Any(candidate => string.Equals(candidate.Name, argument, StringComparison.Ordinal));

    public int Integer(string argument, int otherwise) => _declaration.Find<IntegerArgument>(argument)?.Value ?? otherwise;

    public double Real(string argument, double otherwise) =>
        _declaration.Find<RealArgument>(argument)?.Value ?? _declaration.Find<IntegerArgument>(argument)?.Value ?? otherwise;

    public string Choice(string argument, string otherwise) => _declaration.Find<ChoiceArgument>(argument)?.Member ?? otherwise;

    /// <summary>The full name of the type that stands for a type parameter, or null.</summary>
    public string? Type(string parameter) => _declaration.Find<TypeArgument>(parameter)?.FullName;

    public EquatableArray<int> Layers(string argument) => _declaration.Find<LayersArgument>(argument)?.Layers ?? default;

    public void Prune(Boundary boundary, KeepRule keep, Ranking ranking, Positions positions = Positions.Keep) =>
        Prunes.Add(new Prune(_policy, _text, boundary, keep, ranking, positions));

    public void Exit(Boundary boundary) => Exits.Add(new Exit(_policy, _text, boundary));

    public void Freeze(int layer, string argument, int element) => Freezes.Add(new Freeze(_policy, _text, layer, argument, element));

    /// <summary>Reports something wrong with this policy; the message names the policy before <paramref name="values"/>.</summary>
    public void Report(PlanProblemKind kind, string? argument, int element, params string[] values) =>
        Problems.Add(new PlanProblem(kind, _policy, argument, element, new[] { _text }.Concat(values).ToEquatableArray()));

    /// <summary>Reports an argument for which there is a nearest value that would do; null if there is none.</summary>
    public void Report(PlanProblemKind kind, string argument, int? nearest, params string[] values) =>
        Problems.Add(new PlanProblem(kind, _policy, argument, -1, new[] { _text }.Concat(values).ToEquatableArray(), nearest));

    /// <summary>What stays, by <c>Keep</c> or by <c>KeepRatio</c>; null, and a report, if it is not clear.</summary>
    public KeepRule? Keep()
    {
        bool counted = Has("Keep");
        if (counted == Has("KeepRatio"))
        {
            Report(PlanProblemKind.KeepUnclear, counted ? "KeepRatio" : null, -1, counted ? "both" : "neither");
            return null;
        }

        if (counted)
        {
            return new KeepRule("Keep", Integer("Keep", 0), Share: null);
        }

        double share = Real("KeepRatio", 0);
        return CheckRatio("KeepRatio", share) ? new KeepRule("KeepRatio", Tokens: null, share) : null;
    }

    /// <summary>Reports a ratio that is not inside (0, 1); not-a-number is outside too.</summary>
    /// <returns>True if the ratio is fine.</returns>
    public bool CheckRatio(string argument, double value)
    {
        if (value is > 0 and < 1)
        {
            return true;
        }

        Report(PlanProblemKind.RatioOutOfRange, argument, -1, argument, PlanText.Plain(value));
        return false;
    }
}

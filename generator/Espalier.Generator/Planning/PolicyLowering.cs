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

    public List<VisionReduction> VisionReductions { get; } = new();

    public List<TowerMerging> TowerMergings { get; } = new();

    public List<Exit> Exits { get; } = new();

    public List<Freeze> Freezes { get; } = new();

    public List<Gate> Gates { get; } = new();

    public List<DecodeWish<FeedForwardSkips>> Skips { get; } = new();

    public List<Partial> Partials { get; } = new();

    public List<DecodeWish<TextEviction>> Evictions { get; } = new();

    public List<PlanProblem> Problems { get; } = new();

    public bool Has(string argument) => _declaration.Arguments.Any(candidate => string.Equals(candidate.Name, argument, StringComparison.Ordinal));

    public int Integer(string argument, int otherwise) => _declaration.Find<IntegerArgument>(argument)?.Value ?? otherwise;

    public double Real(string argument, double otherwise) =>
        _declaration.Find<RealArgument>(argument)?.Value ?? _declaration.Find<IntegerArgument>(argument)?.Value ?? otherwise;

    public string Choice(string argument, string otherwise) => _declaration.Find<ChoiceArgument>(argument)?.Member ?? otherwise;

    public bool Flag(string argument, bool otherwise) => _declaration.Find<ChoiceArgument>(argument) is { } written ? written.Member == "true" : otherwise;

    /// <summary>The full name of the type that stands for a type parameter, or null.</summary>
    public string? Type(string parameter) => _declaration.Find<TypeArgument>(parameter)?.FullName;

    public EquatableArray<double> Numbers(string argument) => _declaration.Find<NumbersArgument>(argument)?.Values ?? default;

    public EquatableArray<int> Layers(string argument) => _declaration.Find<LayersArgument>(argument)?.Layers ?? default;

    /// <summary>Visual tokens leave, or go into others, behind a decoder layer. A kernel is made for the tokens that are there; without one the highest scores stay.</summary>
    public void Prune(
        Boundary boundary,
        KeepRule keep,
        Ranking ranking,
        Positions positions = Positions.Keep,
        Compress compress = Compress.Drop,
        Func<Tokens, Kernel>? kernel = null,
        double relevantText = 0) =>
        Prunes.Add(new Prune(_policy, _text, boundary, keep, ranking, positions, compress, kernel, relevantText));

    /// <summary>Visual tokens are reduced before the decoder. A kernel is made for the tokens that are there.</summary>
    public void Reduce(
        Site site,
        KeepRule keep,
        Score score,
        Compress compress = Compress.Drop,
        Positions positions = Positions.Renumber,
        TowerScores? towerScores = null,
        Func<int, Kernel>? kernel = null) =>
        VisionReductions.Add(new VisionReduction(_policy, _text, site, keep, score, compress, positions, towerScores, kernel));

    /// <summary>Visual tokens are reduced inside tower layers; the argument says how many leave.</summary>
    public void ReduceInTower(string? argument, TowerReduction tower, Score score, Func<int, Kernel> kernel) =>
        VisionReductions.Add(new VisionReduction(
            _policy, _text, Site.InsideTower, new KeepRule(argument, Tokens: null, Share: null), score, Compress.MergeIntoKept, Positions.Renumber, TowerScores: null, kernel, tower));

    /// <summary>Tower layers run on fewer rows, and all visual tokens come back behind each.</summary>
    public void MergeTowerLayers(EquatableArray<int> layers, KeepRule keep) => TowerMergings.Add(new TowerMerging(_policy, _text, layers, keep));

    public void Exit(Boundary boundary, int registers = 0) => Exits.Add(new Exit(_policy, _text, boundary, registers));

    public void Gate() => Gates.Add(new Gate(_policy, _text));

    /// <summary>Decode steps may skip feed-forward layers from one layer to another.</summary>
    public void Skip(int firstLayer, int lastLayer, double threshold, int following, int warmUp) =>
        Skips.Add(new DecodeWish<FeedForwardSkips>(_policy, _text, new FeedForwardSkips(firstLayer, lastLayer, threshold, following, warmUp, _text)));

    /// <summary>Text rows leave the caches in decode.</summary>
    public void Evict(int initial, int neighbours) => Evictions.Add(new DecodeWish<TextEviction>(_policy, _text, new TextEviction(initial, neighbours, _text)));

    public void Freeze(int layer, string argument, int element) => Freezes.Add(new Freeze(_policy, _text, layer, argument, element));

    /// <summary>Visual tokens do less work in a layer that the policy names.</summary>
    public void DoLess(int layer, string? argument, int element, PartialWork work) => Partials.Add(new Partial(_policy, _text, layer, argument, element, IsWritten: true, work));

    /// <summary>Visual tokens do less work in all layers from one on, up to the last in which they are there and nothing else is said of them.</summary>
    public void DoLessFrom(int first, PartialWork work)
    {
        for (int layer = first; layer < Geometry.Text.Layers; layer++)
        {
            Partials.Add(new Partial(_policy, _text, layer, Argument: null, Element: -1, IsWritten: false, work));
        }
    }

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

    /// <summary>Reports a number that its parameter cannot take.</summary>
    /// <param name="argument">The argument.</param>
    /// <param name="isFine">False if there is something to report.</param>
    /// <param name="value">The number.</param>
    /// <param name="requirement">What it must be.</param>
    /// <param name="element">Its place in a list; -1 if it stands alone.</param>
    /// <returns>True if the number is fine.</returns>
    public bool CheckNumber(string argument, bool isFine, double value, string requirement, int element = -1)
    {
        if (!isFine)
        {
            Report(PlanProblemKind.NumberOutOfRange, Has(argument) ? argument : null, Has(argument) ? element : -1, argument, PlanText.Plain(value), requirement);
        }

        return isFine;
    }

    /// <summary>Reports a choice that does not exist.</summary>
    /// <returns>True if the choice is fine.</returns>
    public bool CheckChoice(string argument, string member, string enumeration, params string[] members)
    {
        if (Array.IndexOf(members, member) >= 0)
        {
            return true;
        }

        Report(PlanProblemKind.UnknownChoice, argument, -1, argument, member, enumeration);
        return false;
    }

    /// <summary>Reads a count or a share of which at most one is written; the share has a default.</summary>
    /// <returns>Null if both are written or the share makes no sense, which is reported.</returns>
    public KeepRule? CountOrShare(string count, string share, double otherwise, bool truncates)
    {
        if (Has(count) && Has(share))
        {
            Report(PlanProblemKind.CountAndShare, share, -1, count, share);
            return null;
        }

        if (Has(count))
        {
            return new KeepRule(count, Integer(count, 0), Share: null);
        }

        double value = Real(share, otherwise);
        return CheckRatio(share, value) ? new KeepRule(Has(share) ? share : null, Tokens: null, value, truncates) : null;
    }

    /// <summary>The tower layers from <paramref name="first"/> on whose CLS attention can be read; reports why there are none.</summary>
    public TowerScores? ClsAttention(int first, int last, string? argument, string need = "the attention that the CLS token pays to the patches")
    {
        VisionGeometry vision = Geometry.Vision;
        string? reason = !vision.HasCls ? "the vision tower of this model has no CLS token"
            : vision.KeepsCls ? "this model counts its CLS token among the visual tokens (vision_feature_select_strategy is \"full\")"
            : last < 0 ? "no layer of the vision tower runs for the features of this model" : null;
        if (reason is not null)
        {
            Report(PlanProblemKind.NoClsAttention, null, -1, reason, need);
            return null;
        }

        if (first < 0 || first > last)
        {
            Report(PlanProblemKind.TowerLayerOutOfRange, argument is not null && Has(argument) ? argument : null, -1, PlanText.Plain(first), PlanText.Plain(last));
            return null;
        }

        return new TowerScores(first, last);
    }

    /// <summary>The number of tower layers from <paramref name="first"/> on that run for the features and can reduce visual tokens; reports why there is none.</summary>
    public int? TowerLayersFrom(int first, string? argument)
    {
        VisionGeometry vision = Geometry.Vision;
        string? reason = vision.HasCls && vision.KeepsCls ? "this model counts its CLS token among the visual tokens (vision_feature_select_strategy is \"full\")"
            : vision.FeatureLayers == 0 ? "no layer of the vision tower runs for the features of this model" : null;
        if (reason is not null)
        {
            Report(PlanProblemKind.TowerNotReducible, null, -1, reason);
            return null;
        }

        if (first < 0 || first >= vision.FeatureLayers)
        {
            Report(PlanProblemKind.TowerReductionOutOfRange, argument is not null && Has(argument) ? argument : null, -1, PlanText.Plain(first), PlanText.Plain(vision.FeatureLayers - 1));
            return null;
        }

        return vision.FeatureLayers - first;
    }

    /// <summary>Reports the first of some tower layers that does not run for the features, or does not come behind the one before it.</summary>
    /// <returns>True if the layers are fine.</returns>
    public bool CheckTowerLayers(string argument, EquatableArray<int> layers)
    {
        int running = Geometry.Vision.FeatureLayers;
        for (int i = 0; i < layers.Count; i++)
        {
            if (layers[i] < 0 || layers[i] >= running)
            {
                Report(PlanProblemKind.TowerReductionOutOfRange, Has(argument) ? argument : null, Has(argument) ? i : -1, PlanText.Plain(layers[i]), PlanText.Plain(running - 1));
                return false;
            }

            if (i > 0 && !CheckNumber(argument, layers[i] > layers[i - 1], layers[i], "above " + PlanText.Plain(layers[i - 1]) + ", the one before it", i))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The attention that patches receive in a tower layer; reports why it cannot be had.</summary>
    public TowerScores? Received(int layer)
    {
        const string Need = "the attention that the patches receive";
        if (Geometry.Vision.KeepsCls || layer < 0)
        {
            Report(PlanProblemKind.NoClsAttention, null, -1, layer < 0
                ? "no layer of the vision tower runs for the features of this model"
                : "this model counts its CLS token among the visual tokens (vision_feature_select_strategy is \"full\")", Need);
            return null;
        }

        return new TowerScores(layer, layer, TowerAttention.Received);
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

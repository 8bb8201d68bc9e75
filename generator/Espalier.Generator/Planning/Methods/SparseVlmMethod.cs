using System;
using System.Collections.Generic;
using System.Linq;

namespace Espalier.Planning;

/// <summary>SparseVLM (arXiv 2410.04417): behind some layers the visual tokens stay that the raters attend to most; the best of the others are recycled.</summary>
internal sealed class SparseVlmMethod : PolicyMethod
{
    // No source gives a rank. With this one the first release's presets for 192 and 128 tokens come near their names.
    private const int TypicalRank = 12;

    private static readonly SparseVlmTables Tables = new(new Dictionary<int, int[]>
    {
        [192] = new[] { 300, 200, 110 },
        [128] = new[] { 303, 110, 36 },
        [96] = new[] { 238, 48, 26 },
        [64] = new[] { 66, 30, 17 },
    });

    public override string Name => "SparseVlm";

    internal override void Lower(PolicyLowering policy)
    {
        double tau = policy.Real("Tau", 0.3);
        bool fine = policy.CheckNumber("Tau", tau is >= 0 and <= 1, tau, "from 0 to 1");
        string[] said = new[] { "Keep", "Tokens", "Scale", "Lambda" }.Where(policy.Has).ToArray();
        if (said.Length > 1)
        {
            policy.Report(PlanProblemKind.CountAndShare, said[1], -1, said[0], said[1]);
            return;
        }

        fine &= policy.CheckNumber("Bias", !policy.Has("Bias") || policy.Has("Scale"), policy.Real("Bias", 0), "written beside Scale");
        Rule? rule = policy.Has("Scale") ? Scaled(policy) : policy.Has("Lambda") ? Lambda(policy) : null;
        EquatableArray<int>? layers = policy.Has("Scale") ? SparseVlmTables.Layers(policy, 2, 6, 15, 19) : SparseVlmTables.Layers(policy, 2, 6, 15);
        if (!fine || layers is not { } stages)
        {
            return;
        }

        if (policy.Has("Scale") || policy.Has("Lambda"))
        {
            for (int stage = 0; rule is not null && stage < stages.Count; stage++)
            {
                ByRank(policy, SparseVlmTables.Behind(policy, stages, stage), rule, tau);
            }

            return;
        }

        EquatableArray<int>? counts = Tables.Counts(policy, stages);
        for (int stage = 0; counts is { } keep && stage < stages.Count; stage++)
        {
            ByTable(policy, SparseVlmTables.Behind(policy, stages, stage), keep[stage], policy.Has("Keep") ? stage : -1, tau);
        }
    }

    private static Rule? Scaled(PolicyLowering policy)
    {
        double scale = policy.Real("Scale", 0);
        double bias = policy.Real("Bias", 0);
        bool fine = policy.CheckNumber("Scale", scale is > 0 and <= 1000, scale, "above 0 and up to 1000");
        fine &= policy.CheckNumber("Bias", bias is >= 0 and <= 100_000, bias, "from 0 to 100000");
        return fine ? new Rule(tokens => Math.Min((int)((TypicalRank * scale) + bias), tokens - 1), new KernelArgument("scale", scale), new KernelArgument("bias", bias)) : null;
    }

    private static Rule? Lambda(PolicyLowering policy)
    {
        double lambda = policy.Real("Lambda", 0);
        return policy.CheckNumber("Lambda", lambda is > 0 and <= 1, lambda, "above 0 and up to 1")
            ? new Rule(tokens => tokens - (int)(lambda * Math.Max(0, tokens - TypicalRank)), new KernelArgument("lambda", lambda))
            : null;
    }

    private void ByTable(PolicyLowering policy, Boundary boundary, int keep, int element, double tau)
    {
        string? argument = element >= 0 ? "Keep" : policy.Has("Tokens") ? "Tokens" : null;
        var ranking = new Ranking(Score.RaterAttention);
        if (tau == 0)
        {
            policy.Prune(boundary, new KeepRule(argument, keep, Share: null, Element: element), ranking, Positions.Renumber);
            return;
        }

        // A count that makes no sense is left as it is, for the rules to report it.
        policy.Prune(
            boundary,
            new KeepRule(argument, Tokens: null, Share: null, Counted: tokens => keep <= 0 || keep >= tokens ? keep : Recycling.Left(tokens, keep, tau), Element: element),
            ranking,
            Positions.Renumber,
            Compress.Recycle,
            tokens => Kernel(tokens, tau, tokens.AreBound ? Counting(KernelInputs.OfSite, new KernelArgument("keep", keep)) : null, keep));
    }

    private void ByRank(PolicyLowering policy, Boundary boundary, Rule rule, double tau)
    {
        policy.Prune(
            boundary,
            KeepRule.FoundInTheImage(tokens => tokens, tokens => Recycling.Left(tokens, Math.Max(0, rule.Typical(tokens)), tau)),
            new Ranking(Score.RaterAttention),
            Positions.Renumber,
            tau == 0 ? Compress.Drop : Compress.Recycle,
            tokens => tau == 0
                ? new Kernel(Name, Scratch: 0, rule.Arguments, KernelInputs.Scores | KernelInputs.RaterRank)
                : Kernel(tokens, tau, Counting(KernelInputs.RaterRank, rule.Arguments.ToArray()), keep: 0));
    }

    private Kernel Counting(KernelInputs inputs, params KernelArgument[] arguments) => new(Name, Scratch: 0, new EquatableArray<KernelArgument>(arguments), inputs);

    private Kernel Kernel(Tokens tokens, double tau, Kernel? counting, int keep)
    {
        // Pairs of recycled tokens, and five numbers a token.
        int pool = Recycling.Pool(tokens.Count - keep, tau);
        KernelArgument share = new("tau", tau);
        return new Kernel(
            Name,
            Scratch: (pool * pool) + (5 * tokens.Count),
            counting is null ? EquatableArray.Of(new KernelArgument("keep", keep), share) : EquatableArray.Of(share),
            KernelInputs.Scores | KernelInputs.Rows,
            counting);
    }

    /// <summary>How the rank says what stays: the numbers of the rule, and what is typical given the tokens that are there.</summary>
    private sealed class Rule
    {
        public Rule(Func<int, int> typical, params KernelArgument[] arguments)
        {
            Typical = typical;
            Arguments = new EquatableArray<KernelArgument>(arguments);
        }

        public Func<int, int> Typical { get; }

        public EquatableArray<KernelArgument> Arguments { get; }
    }
}

using System.Reflection;
using System.Runtime.Loader;
using Espalier.Planning;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Emit;

namespace Espalier.Tests;

/// <summary>Loads what was compiled and lets it run on the recorder.</summary>
internal static class Loading
{
    public static Assembly Load(Compilation compilation)
    {
        using var image = new MemoryStream();
        EmitResult result = compilation.Emit(image);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        image.Position = 0;
        return new AssemblyLoadContext("declared", isCollectible: true).LoadFromStream(image);
    }

    public static ReductionPlan PlanOf(Type model) => (ReductionPlan)model.GetProperty("Plan", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;

    /// <summary>Requires of the one class that was declared that its loops do what its plan says.</summary>
    public static ReductionPlan AssertRunsAsPlanned(Compilation compilation)
    {
        Type declared = Assert.Single(Load(compilation).GetTypes(), type => type.BaseType?.FullName == "Espalier.VisionLanguageModel");
        ReductionPlan plan = PlanOf(declared);
        Assert.Equal(Expected(plan), Record(declared));
        return plan;
    }

    /// <summary>The calls of one prefill and one decode step.</summary>
    public static IReadOnlyList<string> Record(Type model)
    {
        object checkpoint = Activator.CreateInstance(model.Assembly.GetType("Espalier.Checkpoint", throwOnError: true)!)!;
        object loaded = model.GetMethod("Load")!.Invoke(null, [checkpoint, null])!;
        return (IReadOnlyList<string>)model.GetMethod("Record")!.Invoke(loaded, null)!;
    }

    /// <summary>The calls that a plan asks for, told layer by layer from its public face alone.</summary>
    public static IEnumerable<string> Expected(ReductionPlan plan)
    {
        foreach (string call in ExpectedBeforeTheDecoder(plan))
        {
            yield return call;
        }

        int visual = plan.DecoderVisualTokens;
        yield return $"prefill {visual}, {plan.Steps.Sum(step => step.Registers)} registers";
        foreach (Step step in plan.Steps.Where(step => step.AfterLayer < 0 && step.Site == Site.DecoderBoundary))
        {
            foreach (string call in Reduce(step, visual))
            {
                yield return call;
            }

            visual = step.TokensAfter;
        }

        for (int layer = 0; layer < plan.Layers; layer++)
        {
            string name = plan.KindAt(layer) switch
            {
                LayerKind.Dense => "dense",
                LayerKind.Scored => "scored",
                LayerKind.Frozen => "frozen",
                LayerKind.TextScored => "text scored",
                LayerKind.FrozenTextScored => "frozen text scored",
                LayerKind.LastRow => "last row of",
                _ => "frozen scored",
            };
            Step? step = plan.Steps.FirstOrDefault(step => step.AfterLayer == layer);
            bool scored = step is { Score: Score.LastQueryAttention or Score.TextAttention };
            yield return $"{name} {layer} over {visual}" + (scored ? $" into {visual}" : "");
            if (step is not null)
            {
                foreach (string call in Reduce(step, visual))
                {
                    yield return call;
                }

                visual = step.TokensAfter;
            }
        }

        yield return "logits";
        yield return "decode";
        for (int layer = 0; layer < plan.Layers; layer++)
        {
            yield return $"decode {layer}";
        }

        yield return "logits";
    }

    private static IEnumerable<string> Reduce(Step step, int visual)
    {
        if (step.IsExit)
        {
            yield return "exit";
            yield break;
        }

        if (step.ScorerType is { } scorer)
        {
            yield return $"{scorer.Split('<')[0].Split('.', ':')[^1]} over {visual} into {visual}";
        }
        else if (step.Score == Score.NextLayerAttention)
        {
            yield return $"ask {step.AfterLayer + 1} over {visual} into {visual}";
        }

        // The recorder's scores ascend, so the last tokens stay.
        int first = step.Score == Score.Random ? step.Seed : visual - step.TokensAfter;
        yield return step.IsMerge ? $"merge {visual} into {step.TokensAfter} from {first}" : $"keep {step.TokensAfter} from {first}";
        if (step.Positions == Positions.Renumber)
        {
            yield return "renumber";
        }
    }

    private static IEnumerable<string> ExpectedBeforeTheDecoder(ReductionPlan plan)
    {
        Step[] steps = [.. plan.Steps.Where(step => step.Site != Site.DecoderBoundary)];
        if (steps.Length == 0)
        {
            yield break;
        }

        int visual = plan.Geometry.VisualTokens;
        Step? output = steps.FirstOrDefault(step => step.Site == Site.VisionOutput);
        yield return output is null ? "tower" : "scored tower";
        if (output is not null)
        {
            yield return output.Compress == Compress.MergeIntoTargets
                ? $"merge {output.TokensAfter}, {output.Kernel!.Arguments.Single().Value} contextual"
                : $"keep {output.TokensAfter} from {visual - output.TokensAfter}";
            visual = output.TokensAfter;
        }

        yield return $"project {visual}";
        if (steps.FirstOrDefault(step => step.Site == Site.Projected) is { } projected)
        {
            yield return $"scratch {projected.Kernel!.Scratch}";
            yield return $"keep {projected.TokensAfter} from {visual - projected.TokensAfter}";
        }
    }
}

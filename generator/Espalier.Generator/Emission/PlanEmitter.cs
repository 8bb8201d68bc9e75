using System.Collections.Generic;
using System.Linq;
using System.Text;
using Espalier.Parsing;
using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes the plan as literals, in a file-local class beside the user's.</summary>
internal static class PlanEmitter
{
    public const string Namespace = "Espalier.Generated";

    /// <summary>The class's name. A suffix instead of the prefix would make "ReductionPlan" out of "Reduction" and hide the type of that name.</summary>
    public static string NameOf(ModelDeclaration declaration) => "PlanOf" + declaration.Name;

    public static void Emit(SourceWriter writer, PlannedModel planned, string version)
    {
        using (writer.Open("namespace " + Namespace))
        {
            writer.Line("using System.CodeDom.Compiler;");
            writer.Line("using Espalier.Planning;");
            writer.Line();
            writer.Line("/// <summary>The plan as it was compiled: the shapes of the model, the segments and the steps.</summary>");
            writer.Line("[GeneratedCode(\"" + KnownTypeNames.GeneratorName + "\", \"" + version + "\")]");
            using (writer.Open("file static class " + NameOf(planned.Declaration)))
            {
                using (writer.Open("public static ReductionPlan Create()"))
                {
                    EmitGeometry(writer, planned.Plan.Geometry);
                    writer.Line();
                    EmitSegments(writer, planned.Plan);
                    writer.Line();
                    EmitSteps(writer, planned.Plan);
                    writer.Line();
                    writer.Line("return new ReductionPlan(geometry, segments, steps" + (planned.Plan.Gates is { } gates
                        ? ", new ExitGates(FirstLayer: " + Literal.Of(gates.FirstLayer) + ", LastLayer: " + Literal.Of(gates.LastLayer) + ", Declaration: " + Literal.Of(gates.Declaration) + ")" : "")
                        + Of(planned.Plan.Skips) + Of(planned.Plan.MergedTower) + Of(planned.Plan.Eviction) + ");");
                }
            }
        }
    }

    private static void EmitGeometry(SourceWriter writer, ModelGeometry geometry)
    {
        VisionGeometry vision = geometry.Vision;
        TextGeometry text = geometry.Text;
        using (writer.Indent("ModelGeometry geometry = new("))
        {
            writer.Line("ModelType: " + Literal.Of(geometry.ModelType) + ",");
            writer.Line("Vision: new(Family: " + Literal.Of(vision.Family)
                + ", Layers: " + Literal.Of(vision.Layers) + ", FeatureLayers: " + Literal.Of(vision.FeatureLayers)
                + ", Hidden: " + Literal.Of(vision.Hidden) + ", Intermediate: " + Literal.Of(vision.Intermediate) + ", Heads: " + Literal.Of(vision.Heads) + ",");
            writer.Line("    ImageSize: " + Literal.Of(vision.ImageSize) + ", PatchSize: " + Literal.Of(vision.PatchSize)
                + ", LayerNormEpsilon: " + Literal.Of(vision.LayerNormEpsilon)
                + ", Activation: " + Literal.Of(vision.Activation) + ", KeepsCls: " + Literal.Of(vision.KeepsCls) + "),");
            writer.Line("Text: new(Family: " + Literal.Of(text.Family)
                + ", Layers: " + Literal.Of(text.Layers) + ", Hidden: " + Literal.Of(text.Hidden) + ", Intermediate: " + Literal.Of(text.Intermediate)
                + ", Heads: " + Literal.Of(text.Heads) + ", KeyValueHeads: " + Literal.Of(text.KeyValueHeads) + ", HeadDim: " + Literal.Of(text.HeadDim) + ",");
            writer.Line("    Vocabulary: " + Literal.Of(text.Vocabulary) + ", RmsNormEpsilon: " + Literal.Of(text.RmsNormEpsilon)
                + ", RopeTheta: " + Literal.Of(text.RopeTheta) + ", MaxPositions: " + Literal.Of(text.MaxPositions)
                + ", QueryKeyValueBias: " + Literal.Of(text.QueryKeyValueBias) + ", TiedHead: " + Literal.Of(text.TiedHead) + "),");
            writer.Line("ImageTokenId: " + Literal.Of(geometry.ImageTokenId) + ",");
            writer.Line("ProjectorActivation: " + Literal.Of(geometry.ProjectorActivation) + ");");
        }
    }

    private static void EmitSegments(SourceWriter writer, ReductionPlan plan)
    {
        writer.Line("Segment[] segments =");
        using (writer.Indent("["))
        {
            int written = -1;
            foreach (Segment segment in plan.Segments)
            {
                if (segment.LastLayer <= written)
                {
                    continue;
                }

                if (segment.Mode == LayerMode.Merging && plan.LastLayerAlike(segment.FirstLayer) is var last && last > segment.FirstLayer)
                {
                    Step step = plan.StepInside(segment.FirstLayer)!;
                    written = last;
                    writer.Line(".. Segment.Falling(firstLayer: " + Literal.Of(segment.FirstLayer) + ", lastLayer: " + Literal.Of(last) + ", " + Literal.Of(segment.Mode)
                        + ", visualTokens: " + Literal.Of(segment.VisualTokens) + ", by: " + Literal.Of(step.TokensBefore - step.TokensAfter) + "),");
                    continue;
                }

                writer.Line("new(FirstLayer: " + Literal.Of(segment.FirstLayer) + ", LastLayer: " + Literal.Of(segment.LastLayer)
                    + ", " + Literal.Of(segment.Mode) + ", VisualTokens: " + Literal.Of(segment.VisualTokens) + Of(segment.Partial) + "),");
            }
        }

        writer.Line("];");
    }

    private static void EmitSteps(SourceWriter writer, ReductionPlan plan)
    {
        if (plan.Steps.Count == 0)
        {
            writer.Line("Step[] steps = [];");
            return;
        }

        writer.Line("Step[] steps =");
        using (writer.Indent("["))
        {
            int written = -1;
            foreach (Step step in plan.Steps)
            {
                if (step.IsInsideLayer && step.AfterLayer <= written)
                {
                    continue;
                }

                int last = step.IsInsideLayer ? plan.LastLayerAlike(step.AfterLayer) : step.AfterLayer;
                bool falls = last > step.AfterLayer;
                written = step.IsInsideLayer ? last : written;
                string rest = Rest(step);
                string end = falls ? "))," : "),";
                writer.Line((falls ? ".. Step.Falling(lastLayer: " + Literal.Of(last) + ", new(" : "new(") + "AfterLayer: " + Literal.Of(step.AfterLayer) + ", " + Literal.Of(step.Score) + ", " + Literal.Of(step.Compress)
                    + ", TokensBefore: " + Literal.Of(step.TokensBefore) + ", TokensAfter: " + Literal.Of(step.TokensAfter)
                    + ", Declaration: " + Literal.Of(step.Declaration)
                    + (step.ScorerType is null ? "" : ", ScorerType: " + Literal.Of(step.ScorerType))
                    + (step.Seed == 0 ? "" : ", Seed: " + Literal.Of(step.Seed))
                    + (step.Registers == 0 ? "" : ", Registers: " + Literal.Of(step.Registers))
                    + (step.Positions == Positions.Keep ? "" : ", Positions: " + Literal.Of(step.Positions)) + Count(step) + (rest.Length > 0 ? "," : end));
                if (rest.Length > 0)
                {
                    writer.Line("    " + rest + end);
                }
            }
        }

        writer.Line("];");
    }

    /// <summary>What a step has that needs a line of its own: a site besides the boundaries, tower layers, a kernel.</summary>
    private static string Rest(Step step)
    {
        string site = step.Site == Site.DecoderBoundary ? "" : "Site: " + Literal.Of(step.Site);
        string scores = step.TowerScores is { } tower
            ? ", TowerScores: new(FirstLayer: " + Literal.Of(tower.FirstLayer) + ", LastLayer: " + Literal.Of(tower.LastLayer)
                + (tower.Attention == TowerAttention.Cls ? "" : ", Attention: " + Literal.Of(tower.Attention)) + ")" : "";
        string kernel = step.Kernel is null ? "" : (site.Length == 0 ? "" : ", ") + "Kernel: " + Of(step.Kernel);
        return site + scores + Tower(step.Tower) + kernel;
    }

    private static string Of(MergedTower? merged) => merged is null
        ? ""
        : ", mergedTower: new(Layers: EquatableArray.Of(" + string.Join(", ", merged.Layers) + "), Rows: " + Literal.Of(merged.Rows) + ", Declaration: " + Literal.Of(merged.Declaration) + ")";

    private static string Of(FeedForwardSkips? skips) => skips is null
        ? ""
        : ", skips: new(FirstLayer: " + Literal.Of(skips.FirstLayer) + ", LastLayer: " + Literal.Of(skips.LastLayer) + ", Threshold: " + PlanText.Plain(skips.Threshold) + ", Following: " + Literal.Of(skips.Following)
            + ", WarmUp: " + Literal.Of(skips.WarmUp) + ", Declaration: " + Literal.Of(skips.Declaration) + ")";

    private static string Of(PartialWork? work)
    {
        if (work is null)
        {
            return "";
        }

        var parts = new List<string>();
        if (work.Reach != VisualReach.All)
        {
            parts.Add("Reach: " + Literal.Of(work.Reach) + ", Distance: " + Literal.Of(work.Distance));
        }

        if (work.Choice != NeuronChoice.All)
        {
            parts.Add("Choice: " + Literal.Of(work.Choice) + ", Neurons: " + Literal.Of(work.Neurons) + (work.ProbeStride == 0 ? "" : ", ProbeStride: " + Literal.Of(work.ProbeStride)));
        }

        if (work.DroppedHeads.Count > 0)
        {
            parts.Add("DroppedHeads: EquatableArray.Of(" + string.Join(", ", work.DroppedHeads.Select(Literal.Of)) + ")");
        }

        return ", Partial: new(" + string.Join(", ", parts) + ")";
    }

    private static string Of(TextEviction? eviction) => eviction is null
        ? ""
        : ", eviction: new(Initial: " + Literal.Of(eviction.Initial) + ", Neighbours: " + Literal.Of(eviction.Neighbours) + ", Declaration: " + Literal.Of(eviction.Declaration) + ")";

    private static string Of(Kernel kernel)
    {
        var text = new StringBuilder("new(" + Literal.Of(kernel.Name) + ", Scratch: " + Literal.Of(kernel.Scratch) + ", Arguments: ");
        for (int i = 0; i < kernel.Arguments.Count; i++)
        {
            KernelArgument argument = kernel.Arguments[i];
            text.Append(i == 0 ? "EquatableArray.Of(" : ", ").Append("new KernelArgument(").Append(Literal.Of(argument.Name)).Append(", ").Append(PlanText.Plain(argument.Value))
                .Append(argument.Member is null ? "" : ", " + Literal.Of(argument.Member)).Append(')');
        }

        text.Append(kernel.Arguments.Count == 0 ? "default" : ")");
        if (kernel.Inputs != KernelInputs.OfSite)
        {
            // A combination of flags prints as "Scores, Rows".
            text.Append(", Inputs: KernelInputs.").Append(kernel.Inputs.ToString().Replace(", ", " | KernelInputs."));
        }

        if (kernel.Counting is not null)
        {
            text.Append(", Counting: ").Append(Of(kernel.Counting));
        }

        return text.Append(')').ToString();
    }

    private static string Count(Step step) => step.Count is { } count
        ? ", Count: new(" + Literal.Of(count.Rule) + ", Share: " + PlanText.Plain(count.Share) + ", Typical: " + Literal.Of(count.Typical) + ")"
            + (step.RelevantText > 0 ? ", RelevantText: " + PlanText.Plain(step.RelevantText) : "")
        : "";

    private static string Tower(TowerReduction? tower)
    {
        if (tower is null)
        {
            return "";
        }

        string leaving = tower.IsConstant
            ? "TowerReduction.Constant(leaving: " + Literal.Of(tower.Leaving[0]) + ", layers: " + Literal.Of(tower.Leaving.Count) + ")"
            : "EquatableArray.Of(" + string.Join(", ", tower.Leaving) + ")";
        return ", Tower: new(FirstLayer: " + Literal.Of(tower.FirstLayer) + ", Leaving: " + leaving + ", " + Reads(tower.Reads) + (tower.IsProportional ? ", IsProportional: true" : "")
            + (tower.IsAhead ? ", Ahead: EquatableArray.Of(" + string.Join(", ", tower.Ahead) + ")" : "") + ")";
    }

    /// <summary>A name for each flag.</summary>
    private static string Reads(TowerReads reads) => "TowerReads." + reads.ToString().Replace(", ", " | TowerReads.");
}

using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>A loop that a test writes in place of the compiler.</summary>
internal sealed class WrongLoop(Checkpoint checkpoint, ReductionPlan plan, Action<ForwardPass> prefill) : VisionLanguageModel(checkpoint, plan, null)
{
    // The plan: FastV after layer 1 (36 to 18), frozen 3 and 4, exit after 4, text only in 5.
    public static Dictionary<string, Action<ForwardPass>> All { get; } = new()
    {
        ["does not begin"] = static pass => pass.RunDense(0),
        ["begins twice"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.BeginPrefill(36);
        },
        ["another count"] = static pass => pass.BeginPrefill(35),
        ["skips a layer"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(1);
        },
        ["repeats a layer"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            pass.RunDense(0);
        },
        ["dense in place of scored"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            pass.RunDense(1);
        },
        ["forgets the prune"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            pass.RunScored(1, new float[36]);
            pass.RunDense(2);
            pass.RunFrozen(3);
            pass.RunFrozen(4);
            pass.ExitVisual();
            pass.RunLastRow(5);
            pass.EndPrefill();
        },
        ["prunes too early"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            pass.KeepVisual([.. Enumerable.Range(0, 18)]);
        },
        ["keeps another count"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            pass.RunScored(1, new float[36]);
            pass.KeepVisual([.. Enumerable.Range(0, 17)]);
        },
        ["too few scores"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            pass.RunScored(1, new float[35]);
        },
        ["ends early"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.EndPrefill();
        },
        ["the last row of another layer"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.RunLastRow(0);
        },
        ["does nothing"] = static _ => { },
    };

    // The plan: PyramidDrop before layers 2 (36 to 18) and 4 (18 to 9).
    public static Dictionary<string, Action<ForwardPass>> Stages { get; } = new()
    {
        ["forgets to renumber"] = static pass =>
        {
            FirstStage(pass);
            pass.ScoreAhead(2, new float[36]);
            pass.KeepVisual([.. Enumerable.Range(0, 18)]);
            pass.RunDense(2);
        },
        ["renumbers before it prunes"] = static pass =>
        {
            FirstStage(pass);
            pass.RenumberRows();
        },
        ["asks a layer that is not the next"] = static pass =>
        {
            FirstStage(pass);
            pass.ScoreAhead(4, new float[36]);
        },
        ["asks a layer that the plan does not ask"] = static pass =>
        {
            pass.BeginPrefill(36);
            pass.RunDense(0);
            pass.ScoreAhead(1, new float[36]);
        },
        ["asks for too few scores"] = static pass =>
        {
            FirstStage(pass);
            pass.ScoreAhead(2, new float[35]);
        },
        ["lets a scorer write too few scores"] = static pass =>
        {
            FirstStage(pass);
            pass.ScoreVisual<NormScorer>(new float[35]);
        },
        ["ranks before it begins"] = static pass => pass.ScoreVisual<NormScorer>(new float[36]),
    };

    /// <summary>Runs a prefill of the tiny model by a loop of the test's own.</summary>
    /// <returns>What it threw; null if nothing.</returns>
    public static Exception? Run(ReductionPlan plan, Action<ForwardPass> prefill)
    {
        using var tiny = new TinyModel(checkpoint => new WrongLoop(checkpoint, plan, prefill));
        using Sequence sequence = tiny.CreateSequence();
        return Record.Exception(() => tiny.Prefill(sequence));
    }

    private static void FirstStage(ForwardPass pass)
    {
        pass.BeginPrefill(36);
        pass.RunDense(0);
        pass.RunDense(1);
    }

    protected override void Prefill(ForwardPass pass) => prefill(pass);

    protected override void DecodeStep(ForwardPass pass)
    {
        pass.BeginDecode();
        pass.RunDecode(0);
        pass.EndDecode();
    }
}

using Espalier.Planning;

namespace Espalier.Benchmarks.Declared;

/// <summary>The loop that the generator wrote, without the vision tower in front of it.</summary>
internal interface ICompiledLoop
{
    /// <summary>Runs the layers, the steps and the head over rows that are in place.</summary>
    void Run(ForwardPass pass);
}

/// <summary>A declared class.</summary>
/// <param name="Name">What it does to the visual tokens.</param>
/// <param name="Plan">The compiled plan.</param>
/// <param name="Load">Loads it.</param>
internal sealed record Variant(string Name, ReductionPlan Plan, Func<Checkpoint, VisionLanguageModel> Load);

/// <summary>The classes that are declared for one geometry.</summary>
/// <param name="Preset">The preset that has the geometry.</param>
/// <param name="Variants">The dense class first.</param>
internal sealed record Suite(string Preset, IReadOnlyList<Variant> Variants)
{
    /// <summary>One suite a preset.</summary>
    public static IReadOnlyList<Suite> All { get; } =
    [
        new("tiny",
        [
            new("dense", TinyDense.Plan, static c => TinyDense.Load(c)),
            new("drop 50 %", TinyDropHalf.Plan, static c => TinyDropHalf.Load(c)),
            new("drop 75 %", TinyDropThreeQuarters.Plan, static c => TinyDropThreeQuarters.Load(c)),
            new("freeze 5 of 8", TinyFreeze.Plan, static c => TinyFreeze.Load(c)),
            new("exit at half", TinyExit.Plan, static c => TinyExit.Load(c)),
            new("drop 50 % + exit", TinyDropAndExit.Plan, static c => TinyDropAndExit.Load(c)),
            new("drop + freeze + exit", TinyEverything.Plan, static c => TinyEverything.Load(c)),
        ]),
        new("qwen2-0.5b-576",
        [
            new("dense", Qwen576Dense.Plan, static c => Qwen576Dense.Load(c)),
            new("drop 50 %", Qwen576DropHalf.Plan, static c => Qwen576DropHalf.Load(c)),
            new("drop 75 %", Qwen576DropThreeQuarters.Plan, static c => Qwen576DropThreeQuarters.Load(c)),
            new("freeze 14 of 24", Qwen576Freeze.Plan, static c => Qwen576Freeze.Load(c)),
            new("exit at half", Qwen576Exit.Plan, static c => Qwen576Exit.Load(c)),
            new("drop 50 % + exit", Qwen576DropAndExit.Plan, static c => Qwen576DropAndExit.Load(c)),
            new("drop + freeze + exit", Qwen576Everything.Plan, static c => Qwen576Everything.Load(c)),
        ]),
        new("onevision-0.5b",
        [
            new("dense", OneVisionDense.Plan, static c => OneVisionDense.Load(c)),
        ]),
        new("llava-7b-thin",
        [
            new("dense", Llava7BDense.Plan, static c => Llava7BDense.Load(c)),
            new("drop 50 %", Llava7BDropHalf.Plan, static c => Llava7BDropHalf.Load(c)),
            new("drop 75 %", Llava7BDropThreeQuarters.Plan, static c => Llava7BDropThreeQuarters.Load(c)),
            new("freeze 4 of 6", Llava7BFreeze.Plan, static c => Llava7BFreeze.Load(c)),
            new("exit at half", Llava7BExit.Plan, static c => Llava7BExit.Load(c)),
            new("drop 50 % + exit", Llava7BDropAndExit.Plan, static c => Llava7BDropAndExit.Load(c)),
            new("drop + freeze + exit", Llava7BEverything.Plan, static c => Llava7BEverything.Load(c)),
        ]),
    ];

    /// <summary>The dense class.</summary>
    public Variant Dense => Variants[0];

    /// <summary>The classes that were compiled for the geometry of a checkpoint.</summary>
    /// <exception cref="BenchmarkException">There are none.</exception>
    public static Suite For(Checkpoint checkpoint)
    {
        Suite? suite = All.FirstOrDefault(suite => suite.Dense.Plan.Geometry == checkpoint.Geometry);
        return suite ?? throw new BenchmarkException(
            $"No class of the benchmarks is compiled for the geometry of {checkpoint.Folder}; write a folder by 'synthesize' from one of the presets: {string.Join(", ", All.Select(suite => suite.Preset))}.");
    }
}

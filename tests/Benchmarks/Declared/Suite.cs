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
internal sealed record Variant(string Name, ReductionPlan Plan, Func<Checkpoint, ModelOptions?, VisionLanguageModel> Load);

/// <summary>The classes that are declared for one geometry.</summary>
/// <param name="Preset">The preset that has the geometry.</param>
/// <param name="Variants">The dense class first.</param>
/// <param name="Summary">The class whose visual tokens leave behind registers, if there is one.</param>
/// <param name="InTower">The classes that reduce inside the tower.</param>
internal sealed record Suite(string Preset, IReadOnlyList<Variant> Variants, Variant? Summary = null, params IReadOnlyList<Variant> InTower)
{
    /// <summary>The classes whose visual tokens stay and do less, in single precision.</summary>
    public IReadOnlyList<Variant> Partial { get; init; } = [];

    private const string Registers = "8 registers";
    private const string Merged = "ToMe in the tower";
    private const string Compressed = "FiCoCo-V in the tower";

    /// <summary>One suite a preset.</summary>
    public static IReadOnlyList<Suite> All { get; } =
    [
        new("tiny",
        [
            new("dense", TinyDense.Plan, TinyDense.Load),
            new("drop 50 %", TinyDropHalf.Plan, TinyDropHalf.Load),
            new("drop 75 %", TinyDropThreeQuarters.Plan, TinyDropThreeQuarters.Load),
            new("freeze 5 of 8", TinyFreeze.Plan, TinyFreeze.Load),
            new("exit at half", TinyExit.Plan, TinyExit.Load),
            new("drop 50 % + exit", TinyDropAndExit.Plan, TinyDropAndExit.Load),
            new("drop + freeze + exit", TinyEverything.Plan, TinyEverything.Load),
        ],
        new(Registers, TinySummary.Plan, TinySummary.Load),
        new(Merged, TinyMergedTower.Plan, TinyMergedTower.Load),
        new(Compressed, TinyCompressedTower.Plan, TinyCompressedTower.Load)),
        new("qwen2-0.5b-576",
        [
            new("dense", Qwen576Dense.Plan, Qwen576Dense.Load),
            new("drop 50 %", Qwen576DropHalf.Plan, Qwen576DropHalf.Load),
            new("drop 75 %", Qwen576DropThreeQuarters.Plan, Qwen576DropThreeQuarters.Load),
            new("freeze 14 of 24", Qwen576Freeze.Plan, Qwen576Freeze.Load),
            new("exit at half", Qwen576Exit.Plan, Qwen576Exit.Load),
            new("drop 50 % + exit", Qwen576DropAndExit.Plan, Qwen576DropAndExit.Load),
            new("drop + freeze + exit", Qwen576Everything.Plan, Qwen576Everything.Load),
        ],
        Summary: new(Registers, Qwen576Summary.Plan, Qwen576Summary.Load))
        {
            Partial = [new("YOPO", Qwen576Yopo.Plan, Qwen576Yopo.Load), new("RedundancyLens, 11 of 24", Qwen576Lens.Plan, Qwen576Lens.Load)],
        },
        new("onevision-0.5b",
        [
            new("dense", OneVisionDense.Plan, OneVisionDense.Load),
        ],
        Summary: null,
        new(Merged, OneVisionMergedTower.Plan, OneVisionMergedTower.Load),
        new(Compressed, OneVisionCompressedTower.Plan, OneVisionCompressedTower.Load)),
        new("llava-7b-thin",
        [
            new("dense", Llava7BDense.Plan, Llava7BDense.Load),
            new("drop 50 %", Llava7BDropHalf.Plan, Llava7BDropHalf.Load),
            new("drop 75 %", Llava7BDropThreeQuarters.Plan, Llava7BDropThreeQuarters.Load),
            new("freeze 4 of 6", Llava7BFreeze.Plan, Llava7BFreeze.Load),
            new("exit at half", Llava7BExit.Plan, Llava7BExit.Load),
            new("drop 50 % + exit", Llava7BDropAndExit.Plan, Llava7BDropAndExit.Load),
            new("drop + freeze + exit", Llava7BEverything.Plan, Llava7BEverything.Load),
        ],
        Summary: new(Registers, Llava7BSummary.Plan, Llava7BSummary.Load)),
        new("llava-7b-11", [new("dense", Llava7B11Dense.Plan, Llava7B11Dense.Load)], Summary: new(Registers, Llava7B11Summary.Plan, Llava7B11Summary.Load)),
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

using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using Espalier.Text;
using Espalier.Vision;

namespace Espalier.Samples.NativeAnswer;

/// <summary>Proves, inside the native program, that answering allocates no managed memory: NativeAOT compiles some library code differently from the JIT.</summary>
internal static class AllocationCheck
{
    private const int WarmUpRounds = 3;
    private const int Rounds = 100;
    private const int DecodeSteps = 4;

    /// <summary>Runs prefill and decode again and again.</summary>
    /// <returns>0, or 1 if a byte was allocated.</returns>
    public static int Run(VisionLanguageModel model, Sequence sequence, in RgbImage image, string question)
    {
        Prompt prompt = model.Prompt.Build(model.Tokenizer, question, model.LoadedPlan.Geometry.ImageTokenId);
        int side = model.LoadedPlan.Geometry.Vision.ImageSize;
        var pixels = new float[3 * side * side];
        model.Preprocessor.Process(image, pixels);

        Repeat(model, sequence, prompt, pixels, WarmUpRounds);

        // Both counters into locals before anything is formatted: formatting allocates.
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        Repeat(model, sequence, prompt, pixels, Rounds);
        long end = Stopwatch.GetTimestamp();
        long after = GC.GetAllocatedBytesForCurrentThread();

        long allocated = after - before;
        double milliseconds = Stopwatch.GetElapsedTime(start, end).TotalMilliseconds / Rounds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{allocated} managed bytes in {Rounds} x (image + prefill + {DecodeSteps} decode steps), {milliseconds:F2} ms each"));
        return allocated == 0 ? 0 : 1;
    }

    private static void Repeat(VisionLanguageModel model, Sequence sequence, Prompt prompt, float[] pixels, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            Require(model.Prefill(sequence, prompt.Prefix, pixels, prompt.Suffix));
            for (int step = 0; step < DecodeSteps; step++)
            {
                Require(model.Decode(sequence, TensorPrimitives.IndexOfMax(sequence.Logits)));
            }
        }
    }

    private static void Require(StepResult result)
    {
        if (result != StepResult.Ready)
        {
            throw new InvalidOperationException("The prompt does not fit the sequence.");
        }
    }
}

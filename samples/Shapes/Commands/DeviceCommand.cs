using System.CommandLine;
using Espalier.CommandLine;
using Espalier.Evaluation;
using Espalier.Vision;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>Says what devices there are, which one is chosen and why, and asks one question on each that can answer.</summary>
internal static class DeviceCommand
{
    private const string Question = "how many shapes are there ?";

    public static Command Create()
    {
        Option<string?> model = SharedOptions.Model();
        var command = new DocumentedCommand(
            "device",
            "Shows what the model can run on, and checks it: a small graph and an answer of each device against the CPU's.",
            "device") { model };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(model) ?? Folders.Model, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string model, CancellationToken cancellationToken)
    {
        RgbImage image = Pictures.Read(Directory.EnumerateFiles(Path.Combine(Folders.Evaluation, "images")).Order(StringComparer.Ordinal).First());
        using Checkpoint checkpoint = Checkpoint.Open(model);
        Answered expected = await AskAsync(checkpoint, new ModelOptions(), image, cancellationToken);
        bool allAgree = true;
        foreach (DeviceFinding finding in DeviceFinding.All())
        {
            Console.WriteLine($"{finding.Device,-7} {(finding.IsUsable ? "usable" : "not usable")}: {finding.Description}");
            if (!finding.IsUsable)
            {
                continue;
            }

            // CUDA's attention over a cache has no single precision, and half of it keeps three digits.
            bool isHalf = ReferenceEquals(finding.Device, Device.Cuda);
            Answered answered = await AskAsync(checkpoint, new ModelOptions { Device = finding.Device, Precision = isHalf ? Precision.Float16 : null }, image, cancellationToken);
            float difference = 0;
            for (int i = 0; i < expected.Logits.Length; i++)
            {
                difference = MathF.Max(difference, MathF.Abs(expected.Logits[i] - answered.Logits[i]));
            }

            bool agrees = answered.Text == expected.Text && difference < (isHalf ? 0.1f : 1e-3f);
            allAgree &= agrees;
            Console.WriteLine(FormattableString.Invariant($"        \"{Question}\" {answered.Text}; logits differ from the CPU's by {difference:G2} at most: {(agrees ? "right" : "WRONG")}"));
        }

        Console.WriteLine("chosen  cpu: Device.Auto takes the CPU, because no GPU has been measured; Device.WebGpu and Device.Cuda are asked for by name.");
        return allAgree ? ExitCode.Success : ExitCode.Failure;
    }

    private static async Task<Answered> AskAsync(Checkpoint checkpoint, ModelOptions options, RgbImage image, CancellationToken cancellationToken)
    {
        using VisionLanguageModel model = Variant.Dense.Load(checkpoint, options);
        using Sequence sequence = model.CreateSequence(checkpoint.Geometry.Text.MaxPositions);
        string answer = "";
        await foreach (string text in model.AnswerAsync(sequence, image, Question, cancellationToken: cancellationToken))
        {
            answer += text;
        }

        return new Answered(answer, sequence.Logits.ToArray());
    }

    private sealed record Answered(string Text, float[] Logits);
}

using System.CommandLine;
using System.Globalization;
using Espalier.CommandLine;
using Espalier.Evaluation;
using Espalier.Vision;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>Answers one question, as the text is generated.</summary>
internal static class AskCommand
{
    public static Command Create()
    {
        Argument<string> image = SharedOptions.Image();
        Argument<string> question = SharedOptions.Question();
        var variant = new Option<string>("--variant") { Description = "The declared class that answers.", DefaultValueFactory = _ => Variant.Dense.Name };
        variant.AcceptOnlyFromAmong([.. Variant.All.Select(known => known.Name)]);
        Option<string?> model = SharedOptions.Model();

        var command = new DocumentedCommand(
            "ask",
            "Answers a question about a picture, and says what the answer took.",
            "ask samples/images/circle.png \"what color is the circle ?\"",
            "ask samples/images/circle.png \"what color is the circle ?\" --variant quick",
            "ask samples/images/pair.png \"where is the yellow square ?\" --temperature 0.7 --top-p 0.9 --seed 1") { image, question, variant, model };
        SamplingOptions sampling = SamplingOptions.AddTo(command, maxTokens: 32);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetRequiredValue(image),
            parsed.GetRequiredValue(question),
            Variant.Named(parsed.GetRequiredValue(variant)),
            sampling.Read(parsed),
            parsed.GetValue(model) ?? Folders.Model,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string imagePath, string question, Candidate variant, AnswerOptions options, string model, CancellationToken cancellationToken)
    {
        RgbImage image = Pictures.Read(imagePath);
        using LoadedCandidates loaded = SharedOptions.Load(model, [variant]);
        LoadedCandidate answering = loaded.All[0];
        await foreach (string text in answering.StreamAsync(image, question, options, cancellationToken))
        {
            Console.Write(text);
            Console.Out.Flush();
        }

        AnswerStatistics taken = answering.Statistics;
        Console.WriteLine();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"visual tokens {variant.TokensBySegment(" | ")} · prefill {taken.Prefill.TotalMilliseconds:F1} ms · {taken.TokensPerSecond:F0} tokens/s"));
        return ExitCode.Success;
    }
}

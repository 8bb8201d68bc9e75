using System.CommandLine;
using System.Globalization;
using Espalier.CommandLine;
using Espalier.Evaluation;
using Espalier.Planning;
using Espalier.Vision;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>All variants side by side on one question.</summary>
internal static class CompareCommand
{
    private const int WarmUpRounds = 2;

    public static Command Create()
    {
        Argument<string> image = SharedOptions.Image();
        Argument<string> question = SharedOptions.Question();
        Option<int> rounds = NumberOption.Create("--rounds", "How often each variant answers, in turns.", static value => value >= 1, "is a whole number of at least 1", 31);
        Option<string?> model = SharedOptions.Model();

        var command = new DocumentedCommand(
            "compare",
            "Asks every variant the same question: answer, visual tokens, and the speed-up beside the one that the operation counts promise.",
            "compare samples/images/circle.png \"what color is the circle ?\"",
            "compare samples/images/crosses.png \"how many crosses are there ?\" --rounds 101") { image, question, rounds, model };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetRequiredValue(image),
            parsed.GetRequiredValue(question),
            parsed.GetValue(rounds),
            parsed.GetValue(model) ?? Folders.Model,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string imagePath, string question, int rounds, string model, CancellationToken cancellationToken)
    {
        RgbImage image = Pictures.Read(imagePath);
        using LoadedCandidates candidates = SharedOptions.Load(model, Variant.All);
        IReadOnlyList<LoadedCandidate> loaded = candidates.All;
        var options = new AnswerOptions();
        var answers = new string[loaded.Count];
        var prefills = Enumerable.Range(0, loaded.Count).Select(_ => new List<double>()).ToArray();

        // In turns, so that whatever else the machine does hits all variants alike; each round's ratio is taken within the round.
        for (int round = -WarmUpRounds; round < rounds; round++)
        {
            for (int turn = 0; turn < loaded.Count; turn++)
            {
                // Every variant goes first equally often.
                int i = (round + WarmUpRounds + turn) % loaded.Count;
                answers[i] = await loaded[i].AnswerAsync(image, question, options, cancellationToken);
                if (round >= 0)
                {
                    prefills[i].Add(loaded[i].Statistics.Prefill.TotalMilliseconds);
                }
            }
        }

        int text = loaded[0].Statistics.PromptTokens - Variant.Dense.Plan.Geometry.VisualTokens;
        Terminal.OfProcess.Write(new ReportTable(
            ["variant", "answer", "visual tokens", "MFLOPs", "of dense", "prefill ms", "of dense", "realised"],
            3,
            [.. Enumerable.Range(0, loaded.Count).Select(i => Row(Variant.All[i], answers[i], prefills[i], prefills[0], text))]));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Operations of the decoder's prefill in convention C, with {text} text tokens. Times: medians of {rounds} rounds in turns. Realised: measured speed-up / speed-up by the operations that the loops run (of the last layer one row, in the dense model too)."));
        return ExitCode.Success;
    }

    private static IReadOnlyList<string> Row(Candidate variant, string answer, List<double> prefills, List<double> dense, int textTokens)
    {
        double flops = variant.Plan.Flops(FlopsConvention.C, textTokens);
        double operations = flops / variant.Plan.DenseFlops(FlopsConvention.C, textTokens);
        double executed = variant.Plan.ExecutedFlops(FlopsConvention.C, textTokens) / variant.Plan.DenseExecutedFlops(FlopsConvention.C, textTokens);
        double time = Median.Of([.. prefills.Zip(dense, static (own, other) => own / other)]);

        // Both as speed-ups over dense: what was measured, as a share of what the operation counts promise.
        return
        [
            variant.Name,
            answer,
            variant.TokensBySegment(" | "),
            ReportTable.Number(flops / 1e6, "F1"),
            ReportTable.Share(operations),
            ReportTable.Number(Median.Of(prefills), "F2"),
            ReportTable.Share(time),
            ReportTable.Number(100 * executed / time, "F0") + " %",
        ];
    }
}

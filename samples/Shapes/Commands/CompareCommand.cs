using System.CommandLine;
using System.Globalization;
using Espalier.Planning;
using Espalier.Vision;
using Spectre.Console;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>All variants side by side on one question.</summary>
internal static class CompareCommand
{
    public const string Name = "compare";

    private const int WarmUpRounds = 2;

    public static Command Create()
    {
        Argument<string> image = SharedOptions.Image();
        Argument<string> question = SharedOptions.Question();
        Option<int> rounds = SharedOptions.Number("--rounds", "How often each variant answers, in turns.", value => value >= 1, "is a whole number of at least 1", 31);
        Option<string?> model = SharedOptions.Model();

        var command = new Command(Name, "Asks every variant the same question: answer, visual tokens, and the speed-up beside the one that the operation counts promise.") { image, question, rounds, model };
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
        using LoadedVariants loaded = LoadedVariants.Load(model, Variant.All);
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
        Write(answers, prefills, text, rounds);
        return ExitCode.Success;
    }

    private static void Write(string[] answers, List<double>[] prefills, int textTokens, int rounds)
    {
        var table = new Table().Border(TableBorder.Rounded);
        table.AddColumn("variant");
        table.AddColumn("answer");
        table.AddColumn("visual tokens");
        foreach (string heading in (string[])["MFLOPs", "of dense", "prefill ms", "of dense", "realised"])
        {
            table.AddColumn(new TableColumn(heading).RightAligned());
        }

        double denseFlops = Variant.Dense.Plan.Flops(FlopsConvention.C, textTokens);
        for (int i = 0; i < answers.Length; i++)
        {
            Variant variant = Variant.All[i];
            double flops = variant.Plan.Flops(FlopsConvention.C, textTokens);
            double time = Median.Of([.. prefills[i].Zip(prefills[0], (own, dense) => own / dense)]);

            // Both as speed-ups over dense: what was measured, as a share of what the operation counts promise.
            double realised = (1 / time) / (denseFlops / flops);
            table.AddRow(
                Markup.Escape(variant.Name),
                Markup.Escape(answers[i]),
                Markup.Escape(variant.TokensBySegment(" | ")),
                Number(flops / 1e6, "F1"),
                Number(flops / denseFlops, "P1"),
                Number(Median.Of(prefills[i]), "F2"),
                Number(time, "P1"),
                Number(realised, "P0"));
        }

        // Not wrapped at the 80 columns that a redirected output is taken to have.
        AnsiConsole.Profile.Width = Console.IsOutputRedirected ? 200 : AnsiConsole.Profile.Width;
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Operations of the decoder's prefill in convention C, with {textTokens} text tokens. Times: medians of {rounds} rounds in turns. Realised: measured speed-up / speed-up by operations."));
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

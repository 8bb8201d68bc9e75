using System.CommandLine;
using System.Globalization;
using Espalier.Vision;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>Answers one question, as the text is generated.</summary>
internal static class AskCommand
{
    public const string Name = "ask";

    public static Command Create()
    {
        Argument<string> image = SharedOptions.Image();
        Argument<string> question = SharedOptions.Question();
        var variant = new Option<string>("--variant") { Description = "The declared class that answers.", DefaultValueFactory = _ => Variant.Dense.Name };
        variant.AcceptOnlyFromAmong([.. Variant.All.Select(known => known.Name)]);
        Option<float> temperature = SharedOptions.Number("--temperature", "0 takes the most likely word; above, words are drawn by their probability.", value => value >= 0f && float.IsFinite(value), "is a number of at least 0", 0f);
        Option<float> topP = SharedOptions.Number("--top-p", "Draws only from the most likely words that together have this probability.", value => value is > 0f and <= 1f, "is a number above 0 and at most 1", 1f);
        Option<ulong> seed = SharedOptions.Number("--seed", "The same seed draws the same words.", _ => true, "is a whole number of at least 0", 0ul);
        Option<int> maxTokens = SharedOptions.Number("--max-tokens", "Tokens that the answer has at the most.", value => value >= 1, "is a whole number of at least 1", 32);
        Option<string?> model = SharedOptions.Model();

        var command = new Command(Name, "Answers a question about a picture, and says what the answer took.") { image, question, variant, temperature, topP, seed, maxTokens, model };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetRequiredValue(image),
            parsed.GetRequiredValue(question),
            Variant.Named(parsed.GetRequiredValue(variant)),
            new AnswerOptions
            {
                Temperature = parsed.GetValue(temperature),
                TopP = parsed.GetValue(topP),
                Seed = parsed.GetValue(seed),
                MaxNewTokens = parsed.GetValue(maxTokens),
            },
            parsed.GetValue(model) ?? Folders.Model,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string imagePath, string question, Variant variant, AnswerOptions options, string model, CancellationToken cancellationToken)
    {
        RgbImage image = Pictures.Read(imagePath);
        using LoadedVariants loaded = LoadedVariants.Load(model, [variant]);
        await foreach (string text in loaded[0].StreamAsync(image, question, options, cancellationToken))
        {
            Console.Write(text);
            Console.Out.Flush();
        }

        AnswerStatistics taken = loaded[0].Statistics;
        Console.WriteLine();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"visual tokens {variant.TokensBySegment(" | ")} · prefill {taken.Prefill.TotalMilliseconds:F1} ms · {taken.TokensPerSecond:F0} tokens/s"));
        return ExitCode.Success;
    }
}

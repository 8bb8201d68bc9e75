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
        Option<float> temperature = new Option<float>("--temperature") { Description = "0 takes the most likely word; above, words are drawn by their probability." }.AtLeast(0f);
        var topP = new Option<float>("--top-p") { Description = "Draws only from the most likely words that together have this probability.", DefaultValueFactory = _ => 1f };
        topP.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !result.Errors.Any() && result.GetValueOrDefault<float>() is not (> 0f and <= 1f))
            {
                result.AddError("--top-p is above 0 and at most 1.");
            }
        });
        var seed = new Option<ulong>("--seed") { Description = "The same seed draws the same words." };
        Option<int> maxTokens = new Option<int>("--max-tokens") { Description = "Tokens that the answer has at the most.", DefaultValueFactory = _ => 32 }.AtLeast(1);
        Option<string> model = SharedOptions.Model();

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
            parsed.GetRequiredValue(model),
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

using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Espalier.Calibration;
using Espalier.CommandLine;
using Espalier.Evaluation;
using Espalier.Vision;

namespace Espalier.Tool.Commands;

/// <summary>Answers one question, as the text is generated.</summary>
internal static class AskCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> checkpoint = SharedOptions.Checkpoint();
        Argument<string> image = new("image") { Description = "A picture: PNG, JPEG, WebP, GIF or TIFF, of any size." };
        Argument<string> question = new("question") { Description = "The question, in quotes." };
        question.Validators.Add(static result =>
        {
            if (string.IsNullOrWhiteSpace(result.GetValueOrDefault<string>()))
            {
                result.AddError("The question is empty. Ask it in words, in quotes.");
            }
        });
        Option<string?> policy = SharedOptions.Policy();
        Option<Precision> precision = SharedOptions.Precision();
        Option<int> positions = SharedOptions.TextPositions();
        Option<bool> json = SharedOptions.Json();
        var command = new DocumentedCommand(
            "ask",
            "Answers a question about a picture, and says what the answer took.",
            "ask models/llava photo.jpg \"What is on the table?\"",
            "ask models/llava photo.jpg \"What is on the table?\" -p '[FastV(K = 2, R = 0.5)]' --precision int8",
            "ask models/llava photo.jpg \"Describe the scene.\" --temperature 0.7 --top-p 0.9 --seed 1 --max-tokens 300")
        {
            checkpoint, image, question, policy, precision, positions, json,
        };
        SamplingOptions sampling = SamplingOptions.AddTo(command, maxTokens: 256);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            terminal,
            parsed.GetRequiredValue(checkpoint),
            parsed.GetRequiredValue(image),
            parsed.GetRequiredValue(question),
            parsed.GetValue(policy) ?? "",
            parsed.GetValue(precision),
            parsed.GetValue(positions),
            sampling.Read(parsed),
            parsed.GetValue(json),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        Terminal terminal, string folder, string imagePath, string question, string policy, Precision precision, int positions, AnswerOptions options, bool json, CancellationToken cancellationToken)
    {
        NativeLibraries.Ensure(terminal);
        RgbImage image = Pictures.Read(imagePath);
        using PolicyCompilation compilation = Policies.Compile(terminal, folder, [policy], cancellationToken);
        using LoadedCandidates loaded = Loading.Load(terminal, folder, Policies.Candidates(compilation), precision, positions, cancellationToken);
        LoadedCandidate model = loaded.All[0];
        var answer = new StringBuilder();
        await foreach (string text in model.StreamAsync(image, question, options, cancellationToken))
        {
            answer.Append(text);
            if (!json)
            {
                terminal.Output.Write(text);
                terminal.Output.Flush();
            }
        }

        AnswerStatistics taken = model.Statistics;
        if (json)
        {
            terminal.Output.WriteLine(new JsonObject
            {
                ["answer"] = answer.ToString().TrimEnd(),
                ["finish"] = Loading.NameOf(taken.FinishReason),
                ["policy"] = policy,
                ["visual_tokens"] = model.VisualTokens,
                ["visual_tokens_kept"] = model.VisualTokensKept,
                ["prompt_tokens"] = taken.PromptTokens,
                ["generated_tokens"] = taken.GeneratedTokens,
                ["vision_ms"] = Math.Round(taken.Vision.TotalMilliseconds, 3),
                ["prefill_ms"] = Math.Round(taken.Prefill.TotalMilliseconds, 3),
                ["tokens_per_second"] = Math.Round(taken.TokensPerSecond, 3),
            }.ToJsonString(JsonText.Indented));
            return ExitCode.Success;
        }

        terminal.Output.WriteLine();
        terminal.Errors.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"visual tokens {model.Candidate.TokensBySegment(" → ")} · vision {taken.Vision.TotalMilliseconds:F1} ms · prefill {taken.Prefill.TotalMilliseconds:F1} ms · {taken.TokensPerSecond:F0} tokens/s"));
        if (taken.FinishReason is FinishReason.MaxNewTokens or FinishReason.CapacityExhausted)
        {
            terminal.Errors.WriteLine(taken.FinishReason == FinishReason.MaxNewTokens
                ? "the answer was cut off at --max-tokens; name more for a longer one."
                : "the answer was cut off where the sequence is full; --text-positions makes room for more.");
        }

        return ExitCode.Success;
    }
}

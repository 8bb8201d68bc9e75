using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Espalier.Extensions.AI;

/// <summary>The instruments of all clients of the process, under the meter <see cref="MeterName"/>. Each has the tag <c>model</c>.</summary>
/// <remarks>What a chat client's pipeline measures of every provider (durations, tokens) is not measured again; these are the numbers that only Espalier has. Thread-safe.</remarks>
public static class ChatMetrics
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Espalier.Extensions.AI";

    private static readonly Meter Source = new(MeterName);
    private static readonly Counter<long> Answers = Source.CreateCounter<long>("espalier.answers", "{answer}", "Answers, by the reason of their end.");
    private static readonly Counter<long> Continued = Source.CreateCounter<long>("espalier.answers.continued", "{answer}", "Answers whose image and earlier turns were still there.");
    private static readonly Counter<long> Tokens = Source.CreateCounter<long>("espalier.tokens.generated", "{token}", "Tokens of answers.");
    private static readonly Counter<long> Seen = Source.CreateCounter<long>("espalier.visual_tokens.seen", "{token}", "Visual tokens that the tower gave.");
    private static readonly Counter<long> Kept = Source.CreateCounter<long>("espalier.visual_tokens.kept", "{token}", "Visual tokens that were left behind the plan's last step.");
    private static readonly Counter<double> Saved = Source.CreateCounter<double>("espalier.prefill.saved", "{operation}", "Operations of prefills that the plans saved against dense models, convention C.");
    private static readonly Histogram<double> FirstToken = Source.CreateHistogram(
        "espalier.time_to_first_token",
        "s",
        "From the request to its first token, waiting for a sequence included.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] });

    private static readonly Histogram<double> Speed = Source.CreateHistogram(
        "espalier.decode.speed",
        "{token}/s",
        "Decode steps a second, of answers with more than one token.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000] });

    internal static void ReportFirstToken(string model, TimeSpan time) => FirstToken.Record(time.TotalSeconds, Tag(model));

    internal static void Report(string model, AnswerDetails answer)
    {
        KeyValuePair<string, object?> tag = Tag(model);
        AnswerStatistics taken = answer.Statistics;
        Answers.Add(1, tag, new("reason", Reason(taken.FinishReason)));
        Tokens.Add(taken.GeneratedTokens, tag);
        if (answer.IsContinued)
        {
            Continued.Add(1, tag);
        }
        else
        {
            Seen.Add(answer.VisualTokensSeen, tag);
            Kept.Add(answer.VisualTokensKept, tag);
            Saved.Add(answer.SavedFlops, tag);
        }

        if (taken.TokensPerSecond > 0)
        {
            Speed.Record(taken.TokensPerSecond, tag);
        }
    }

    private static string Reason(FinishReason reason) => reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.StopSequence => "stop_sequence",
        FinishReason.MaxNewTokens => "max_tokens",
        FinishReason.CapacityExhausted => "capacity",
        _ => "other",
    };

    private static KeyValuePair<string, object?> Tag(string model) => new("model", model);
}

using System.Text;
using System.Text.Json;
using Espalier.Extensions.AI;
using Espalier.Planning;
using Espalier.Samples.ChatServer.Models;
using Microsoft.Extensions.AI;

namespace Espalier.Samples.ChatServer.Api;

/// <summary>Writes an answer: whole, or as server-sent events while it is generated.</summary>
internal sealed class AnswerWriter(HttpContext context, ServedModel model, CompletionRequest request)
{
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private string Name => model.Variant.Name;

    /// <summary>Writes the whole answer. The first update has been read.</summary>
    public async Task WriteAsync(IAsyncEnumerator<ChatResponseUpdate> updates)
    {
        var text = new StringBuilder();
        ChatResponseUpdate last;
        do
        {
            last = updates.Current;
            text.Append(last.Text);
        }
        while (await updates.MoveNextAsync());

        AnswerDetails details = (AnswerDetails)last.RawRepresentation!;
        var completion = new Completion(
            IdOf(last),
            "chat.completion",
            _created,
            Name,
            [new Choice(0, new AnswerMessage("assistant", text.ToString()), ReasonOf(last)!)],
            UsageOf(details),
            ReportOf(details));
        await context.Response.WriteAsJsonAsync(completion, ApiJson.Default.Completion, contentType: null, context.RequestAborted);
    }

    /// <summary>Writes each piece as an event. An error behind the first piece is an event too, and ends the stream without its usual end.</summary>
    public async Task StreamAsync(IAsyncEnumerator<ChatResponseUpdate> updates)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            string? role = "assistant";
            ChatResponseUpdate last;
            do
            {
                last = updates.Current;
                var delta = new Delta(role, last.FinishReason is null ? last.Text : role is null ? null : "");
                await SendAsync(Chunk(last, [new ChunkChoice(0, delta, ReasonOf(last))], usage: null));
                role = null;
            }
            while (await updates.MoveNextAsync());

            if (request.StreamOptions?.IncludeUsage == true)
            {
                await SendAsync(Chunk(last, [], UsageOf((AnswerDetails)last.RawRepresentation!)));
            }

            await SendAsync("[DONE]"u8.ToArray());
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            ILogger log = context.RequestServices.GetRequiredService<ILogger<AnswerWriter>>();
            await SendAsync(JsonSerializer.SerializeToUtf8Bytes(ErrorBody.Of(ErrorDescription.Of(problem, log)), ApiJson.Default.ErrorBody));
        }
    }

    private Task SendAsync(CompletionChunk chunk) => SendAsync(JsonSerializer.SerializeToUtf8Bytes(chunk, ApiJson.Default.CompletionChunk));

    // JSON without indentation has no line break, so one data line holds an event.
    private async Task SendAsync(byte[] data)
    {
        await context.Response.Body.WriteAsync((byte[])[.. "data: "u8, .. data, .. "\n\n"u8], context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private CompletionChunk Chunk(ChatResponseUpdate update, IReadOnlyList<ChunkChoice> choices, Usage? usage) => new(
        IdOf(update),
        "chat.completion.chunk",
        _created,
        Name,
        choices,
        usage,
        choices.Count > 0 && update.RawRepresentation is AnswerDetails details ? ReportOf(details) : null);

    private static string IdOf(ChatResponseUpdate update) => "chatcmpl-" + update.ResponseId;

    private static string? ReasonOf(ChatResponseUpdate update) => update.FinishReason?.Value;

    private static Usage UsageOf(AnswerDetails details)
    {
        AnswerStatistics taken = details.Statistics;
        return new Usage(
            taken.PromptTokens,
            taken.GeneratedTokens,
            taken.PromptTokens + taken.GeneratedTokens,
            new PromptTokensDetails(taken.CachedPromptTokens, details.VisualTokensSeen, details.VisualTokensKept));
    }

    private VisualReport? ReportOf(AnswerDetails details)
    {
        if (request.VisualTokens != true)
        {
            return null;
        }

        ReductionPlan plan = details.Plan;
        AnswerStatistics taken = details.Statistics;
        return new VisualReport(
            plan.Geometry.Vision.ImageSize / plan.Geometry.Vision.PatchSize,
            [.. plan.Segments.Select(segment => new VisualSegment(segment.FirstLayer, segment.LastLayer, segment.Mode switch { LayerMode.Frozen => "frozen", LayerMode.Partial => "partial", _ => "dense" }, TokensAt(details, segment)))],
            Math.Round(taken.Vision.TotalMilliseconds, 2),
            Math.Round(taken.Prefill.TotalMilliseconds, 2),
            Math.Round(taken.TokensPerSecond, 1),
            details.IsContinued);
    }

    // What the last step before the segment left; steps on the vision side count as behind layer -1.
    private static IReadOnlyList<int> TokensAt(AnswerDetails details, Segment segment)
    {
        int steps = details.Plan.Steps.Count(step => step.AfterLayer < segment.FirstLayer);
        return steps > 0 ? details.Survivors[steps - 1] : [.. Enumerable.Range(0, details.VisualTokensSeen)];
    }
}

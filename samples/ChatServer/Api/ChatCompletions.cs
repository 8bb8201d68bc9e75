using System.Diagnostics;
using System.Threading.RateLimiting;
using Espalier.Extensions.AI;
using Espalier.Samples.ChatServer.Admission;
using Espalier.Samples.ChatServer.Errors;
using Espalier.Samples.ChatServer.Models;
using Espalier.Samples.ChatServer.Settings;
using Microsoft.Extensions.AI;

namespace Espalier.Samples.ChatServer.Api;

/// <summary><c>POST /v1/chat/completions</c>: a place in the queue, the body, a place to run, the answer.</summary>
internal static class ChatCompletions
{
    /// <summary>Where answers are asked for.</summary>
    public const string Path = "/v1/chat/completions";

    public static void MapChatCompletions(this WebApplication app) => app.MapPost(Path, (RequestDelegate)AnswerAsync);

    private static async Task AnswerAsync(HttpContext context)
    {
        IServiceProvider services = context.RequestServices;
        RequestQueue queue = services.GetRequiredService<RequestQueue>();
        if (services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested)
        {
            context.Response.Headers.Connection = "close";
            throw ApiException.NotReady("The server is stopping.");
        }

        using RateLimitLease place = queue.Enter();
        CompletionRequest request = await ReadAsync(context, services.GetRequiredService<ServerSettings>());
        string name = request.Model ?? throw ApiException.Invalid("missing_field", "\"model\" is missing.", "model");
        ServedModel model = services.GetRequiredService<ServedModels>().Named(name);
        List<ChatMessage> messages = CompletionRequestReader.Messages(request);
        ChatOptions options = CompletionRequestReader.Options(request);

        using RateLimitLease turn = await queue.WaitAsync(context.RequestAborted);
        long start = Stopwatch.GetTimestamp();
        IAsyncEnumerator<ChatResponseUpdate> updates = model.Client.GetStreamingResponseAsync(messages, options, context.RequestAborted).GetAsyncEnumerator(CancellationToken.None);
        await using (updates)
        {
            // The first piece decides between an error with a status and an answer.
            await updates.MoveNextAsync();
            var answer = new AnswerWriter(context, model, request);
            if (request.Stream == true)
            {
                await answer.StreamAsync(updates);
            }
            else
            {
                await answer.WriteAsync(updates);
            }
        }

        queue.Report(Stopwatch.GetElapsedTime(start));
    }

    private static async Task<CompletionRequest> ReadAsync(HttpContext context, ServerSettings settings)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        time.CancelAfter(TimeSpan.FromSeconds(settings.BodySeconds));
        try
        {
            return await CompletionRequestReader.ParseAsync(context.Request, time.Token);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw ApiException.Invalid("body_too_slow", $"The body did not arrive within {settings.BodySeconds} s.", status: StatusCodes.Status408RequestTimeout);
        }
    }
}

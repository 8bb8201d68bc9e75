using System.Globalization;
using Espalier.Samples.ChatServer.Errors;
using Espalier.Samples.ChatServer.Telemetry;

namespace Espalier.Samples.ChatServer.Api;

/// <summary>Turns exceptions, and paths and methods that nobody serves, into errors in OpenAI's shape, and counts what became of the requests for answers.</summary>
internal sealed class ErrorResponses(RequestDelegate next, ServerMetrics metrics, ILogger<ErrorResponses> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        int status = await RunAsync(context);
        if (context.Request.Path == ChatCompletions.Path)
        {
            metrics.Count(status);
        }
    }

    private async Task<int> RunAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: 404 or 405 })
            {
                string what = $"{context.Request.Method} {ApiException.Shorten(context.Request.Path.Value ?? "")}";
                await WriteAsync(context, ApiException.Invalid("unknown_url", $"{what} is not served here.", status: context.Response.StatusCode));
            }

            return context.Response.StatusCode;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has left; nobody reads an answer.
            return StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception problem) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, ErrorDescription.Of(problem, log));
            return context.Response.StatusCode;
        }
    }

    private static Task WriteAsync(HttpContext context, ApiException problem)
    {
        context.Response.Clear();
        context.Response.StatusCode = problem.Status;
        if (problem.RetryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return context.Response.WriteAsJsonAsync(ErrorBody.Of(problem), ApiJson.Default.ErrorBody, contentType: null, CancellationToken.None);
    }
}

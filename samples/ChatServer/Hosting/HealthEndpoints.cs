using Espalier.Samples.ChatServer.Api;
using Espalier.Samples.ChatServer.Models;

namespace Espalier.Samples.ChatServer.Hosting;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it takes questions.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this WebApplication app)
    {
        app.MapGet("/health/live", (RequestDelegate)(static context => WriteAsync(context, StatusCodes.Status200OK, "live")));
        app.MapGet("/health/ready", (RequestDelegate)ReadyAsync);
    }

    private static Task ReadyAsync(HttpContext context)
    {
        IServiceProvider services = context.RequestServices;
        return services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested
            ? WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "stopping")
            : services.GetRequiredService<ServedModels>().IsLoaded
                ? WriteAsync(context, StatusCodes.Status200OK, "ready")
                : WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "loading");
    }

    private static Task WriteAsync(HttpContext context, int status, string word)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(new HealthStatus(word), ApiJson.Default.HealthStatus);
    }
}

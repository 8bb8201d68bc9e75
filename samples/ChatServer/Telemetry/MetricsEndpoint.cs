namespace Espalier.Samples.ChatServer.Telemetry;

/// <summary><c>/metrics</c>, for Prometheus.</summary>
internal static class MetricsEndpoint
{
    public static void MapMetrics(this WebApplication app)
    {
        app.MapGet("/metrics", (RequestDelegate)(static context =>
        {
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            return context.Response.WriteAsync(context.RequestServices.GetRequiredService<PrometheusListener>().Render());
        }));
    }
}

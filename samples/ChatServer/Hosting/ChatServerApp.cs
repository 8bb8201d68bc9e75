using Espalier.Samples.ChatServer.Admission;
using Espalier.Samples.ChatServer.Api;
using Espalier.Samples.ChatServer.Models;
using Espalier.Samples.ChatServer.Settings;
using Espalier.Samples.ChatServer.Telemetry;

namespace Espalier.Samples.ChatServer.Hosting;

/// <summary>The server: settings, services, endpoints.</summary>
internal static class ChatServerApp
{
    /// <summary>Builds the server. It loads its models when it is started.</summary>
    /// <param name="arguments">The command line.</param>
    /// <exception cref="SettingException">A setting is wrong.</exception>
    public static WebApplication Create(string[] arguments)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        try
        {
            builder.Configuration.AddCommandLine(arguments, ServerSettings.Switches);
        }
        catch (FormatException problem)
        {
            throw new SettingException(problem.Message);
        }

        ServerSettings settings = ServerSettings.Read(builder.Configuration);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = settings.BodyBytes;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(settings.DrainSeconds));
        builder.Services
            .AddSingleton(settings)
            .AddSingleton<ServedModels>()
            .AddSingleton<RequestQueue>()
            .AddSingleton<ServerMetrics>()
            .AddSingleton<PrometheusListener>()
            .AddHostedService<ModelLoader>();

        WebApplication app = builder.Build();

        // From the first request on, also if nobody has looked at the metrics yet.
        _ = app.Services.GetRequiredService<PrometheusListener>();
        app.UseMiddleware<ErrorResponses>();
        app.MapChatCompletions();
        app.MapModels();
        app.MapHealth();
        app.MapMetrics();
        app.MapPage();
        return app;
    }
}

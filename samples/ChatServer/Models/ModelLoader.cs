using System.Diagnostics;

namespace Espalier.Samples.ChatServer.Models;

/// <summary>Loads the models while the server already answers that it is alive, and ends it if they cannot be loaded.</summary>
internal sealed partial class ModelLoader(ServedModels models, IHostApplicationLifetime lifetime, ILogger<ModelLoader> log) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // A host that is stopped while it still starts fails instead of stopping.
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using CancellationTokenRegistration registration = lifetime.ApplicationStarted.Register(started.SetResult);
            await started.Task.WaitAsync(stoppingToken);
            long start = Stopwatch.GetTimestamp();
            await Task.Run(() => models.Load(stoppingToken), stoppingToken);
            Loaded(log, models.Declared.Count, Stopwatch.GetElapsedTime(start).TotalMilliseconds, (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalMilliseconds);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops before it was ready.
        }
        catch (EspalierException problem)
        {
            CannotLoad(log, problem.Message);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} variants loaded in {Milliseconds:F0} ms, {SinceStart:F0} ms after the start of the process")]
    private static partial void Loaded(ILogger log, int count, double milliseconds, double sinceStart);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The model cannot be loaded: {Problem}")]
    private static partial void CannotLoad(ILogger log, string problem);
}

using System.Threading.RateLimiting;
using Espalier.Samples.ChatServer.Errors;
using Espalier.Samples.ChatServer.Settings;

namespace Espalier.Samples.ChatServer.Admission;

/// <summary>The places of the server: some requests run, some wait, and the rest are refused at once, before their bodies are read.</summary>
/// <remarks>Thread-safe. Those that wait run in the order of their arrival.</remarks>
internal sealed class RequestQueue : IDisposable
{
    private readonly ServerSettings _settings;
    private readonly ConcurrencyLimiter _admitted;
    private readonly ConcurrencyLimiter _running;
    private double _secondsAnAnswer = 0.5;

    public RequestQueue(ServerSettings settings)
    {
        _settings = settings;
        _admitted = Limiter(settings.Running + settings.Queue, 0);
        _running = Limiter(settings.Running, settings.Running + settings.Queue);
    }

    /// <summary>Requests that wait now.</summary>
    public long Waiting => _running.GetStatistics()?.CurrentQueuedCount ?? 0;

    /// <summary>Requests that run now.</summary>
    public long Running => _settings.Running - (_running.GetStatistics()?.CurrentAvailablePermits ?? 0);

    /// <summary>Lets a request in, to be left by disposing.</summary>
    /// <exception cref="ApiException">All places are taken.</exception>
    public RateLimitLease Enter()
    {
        RateLimitLease lease = _admitted.AttemptAcquire();
        if (lease.IsAcquired)
        {
            return lease;
        }

        lease.Dispose();
        double seconds = Math.Ceiling(Volatile.Read(ref _secondsAnAnswer) * (Waiting + 1) / _settings.Running);
        throw ApiException.QueueFull(_settings.Running, _settings.Queue, (int)Math.Clamp(seconds, 1, 60));
    }

    /// <summary>Waits for a place to run, to be given back by disposing.</summary>
    public ValueTask<RateLimitLease> WaitAsync(CancellationToken cancellationToken) => _running.AcquireAsync(1, cancellationToken);

    /// <summary>Notes how long an answer took: those who are refused are told when to come again.</summary>
    public void Report(TimeSpan answer) => Volatile.Write(ref _secondsAnAnswer, (0.8 * Volatile.Read(ref _secondsAnAnswer)) + (0.2 * answer.TotalSeconds));

    /// <inheritdoc/>
    public void Dispose()
    {
        _admitted.Dispose();
        _running.Dispose();
    }

    private static ConcurrencyLimiter Limiter(int permits, int queue) => new(new ConcurrencyLimiterOptions
    {
        PermitLimit = permits,
        QueueLimit = queue,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });
}

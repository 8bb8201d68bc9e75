using System.Diagnostics.Metrics;
using Espalier.Samples.ChatServer.Admission;

namespace Espalier.Samples.ChatServer.Telemetry;

/// <summary>What the server itself measures; the chat clients measure the answers.</summary>
internal sealed class ServerMetrics : IDisposable
{
    private readonly Meter _meter = new("Espalier.Samples.ChatServer");
    private readonly Counter<long> _requests;

    public ServerMetrics(RequestQueue queue)
    {
        _requests = _meter.CreateCounter<long>("chat.requests", null, "Requests for answers, by status.");
        _meter.CreateObservableGauge("chat.queue.length", () => queue.Waiting, null, "Requests that wait for a place to run.");
        _meter.CreateObservableGauge("chat.running", () => queue.Running, null, "Requests that run.");
    }

    /// <summary>Tells this server's instruments from those of another one in the process.</summary>
    public bool Owns(Instrument instrument) => ReferenceEquals(instrument.Meter, _meter);

    /// <summary>Counts a request that has ended.</summary>
    public void Count(int status) => _requests.Add(1, new KeyValuePair<string, object?>("status", status));

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}

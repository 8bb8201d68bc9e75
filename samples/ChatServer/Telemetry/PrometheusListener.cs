using System.Diagnostics.Metrics;
using System.Text;
using Espalier.Extensions.AI;

namespace Espalier.Samples.ChatServer.Telemetry;

/// <summary>Listens to the meters of server and chat clients, and writes what it heard in Prometheus' text format, version 0.0.4.</summary>
/// <remarks>Thread-safe. Enough for counters, gauges and histograms with a few tags; where OpenTelemetry's exporter can be had, it does the same for every meter.</remarks>
internal sealed class PrometheusListener : IDisposable
{
    private readonly Dictionary<Instrument, PrometheusFamily> _families = [];
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();

    private readonly ServerMetrics _metrics;

    public PrometheusListener(ServerMetrics metrics)
    {
        _metrics = metrics;
        _listener.InstrumentPublished = Publish;
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>All families, in the order of their names.</summary>
    public string Render()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_lock)
        {
            foreach (PrometheusFamily family in _families.Values.OrderBy(static family => family.Name, StringComparer.Ordinal))
            {
                family.Write(text);
            }
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void Publish(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Name == ChatMetrics.MeterName || _metrics.Owns(instrument))
        {
            lock (_lock)
            {
                _families.Add(instrument, new PrometheusFamily(instrument));
            }

            listener.EnableMeasurementEvents(instrument);
        }
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_lock)
        {
            _families[instrument].Add(value, tags);
        }
    }
}

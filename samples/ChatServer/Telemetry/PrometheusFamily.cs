using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Espalier.Samples.ChatServer.Telemetry;

/// <summary>One instrument: its measurements by tags.</summary>
/// <remarks>Not thread-safe; its listener locks.</remarks>
internal sealed class PrometheusFamily
{
    private readonly string _type;
    private readonly string _help;
    private readonly double[] _bounds;
    private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

    public PrometheusFamily(Instrument instrument)
    {
        _type = instrument switch
        {
            Histogram<double> => "histogram",
            Counter<long> or Counter<double> => "counter",
            _ => "gauge",
        };
        _bounds = instrument is Histogram<double> histogram ? [.. histogram.Advice?.HistogramBucketBoundaries ?? []] : [];
        string unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "{token}/s" => "_tokens_per_second",
            "{operation}" => "_flops",
            _ => "",
        };
        Name = instrument.Name.Replace('.', '_') + unit + (_type == "counter" ? "_total" : "");
        _help = (instrument.Description ?? "").Replace("\\", "\\\\").Replace("\n", "\\n");
    }

    /// <summary>The name in Prometheus.</summary>
    public string Name { get; }

    /// <summary>Adds a measurement.</summary>
    public void Add(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = Labels(tags);
        if (!_series.TryGetValue(labels, out Series? series))
        {
            _series.Add(labels, series = new Series(_bounds.Length + 1));
        }

        if (_type == "histogram")
        {
            int bucket = Array.FindIndex(_bounds, bound => value <= bound);
            series.Buckets[bucket < 0 ? _bounds.Length : bucket]++;
        }

        series.Value = _type == "gauge" ? value : series.Value + value;
    }

    /// <summary>Writes the family.</summary>
    public void Write(StringBuilder text)
    {
        text.Append("# HELP ").Append(Name).Append(' ').Append(_help).Append("\n# TYPE ").Append(Name).Append(' ').Append(_type).Append('\n');
        foreach ((string labels, Series series) in _series)
        {
            if (_type == "histogram")
            {
                WriteHistogram(text, labels, series);
            }
            else
            {
                Line(text, Name, labels, series.Value);
            }
        }
    }

    private void WriteHistogram(StringBuilder text, string labels, Series series)
    {
        long count = 0;
        string separator = labels.Length > 0 ? "," : "";
        for (int i = 0; i <= _bounds.Length; i++)
        {
            count += series.Buckets[i];
            string bound = i < _bounds.Length ? Number(_bounds[i]) : "+Inf";
            Line(text, Name + "_bucket", $"{labels}{separator}le=\"{bound}\"", count);
        }

        Line(text, Name + "_sum", labels, series.Value);
        Line(text, Name + "_count", labels, count);
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
        {
            text.Append('{').Append(labels).Append('}');
        }

        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach ((string name, object? value) in tags)
        {
            string escaped = Convert.ToString(value, CultureInfo.InvariantCulture)!.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
            text.Append(text.Length > 0 ? "," : "").Append(name.Replace('.', '_')).Append("=\"").Append(escaped).Append('"');
        }

        return text.ToString();
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private sealed class Series(int buckets)
    {
        public long[] Buckets { get; } = new long[buckets];

        public double Value { get; set; }
    }
}

using System.Globalization;
using System.Text.Json.Nodes;
using Espalier.Evaluation;

namespace Espalier.Calibration;

/// <summary>Measured values, a line each; a value whose line was cut off is measured again.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class MeasurementLog : IDisposable
{
    private readonly Dictionary<(string Candidate, int Sample), double> _values = [];
    private readonly RunLog? _log;

    private MeasurementLog(RunLog? log) => _log = log;

    /// <summary>Opens a log, or one that nothing is kept of.</summary>
    /// <param name="path">The file; null for none.</param>
    /// <param name="settings">Everything that a value depends on, beside candidate and sample.</param>
    /// <exception cref="CalibrationException">The file is of another run, is damaged, or cannot be written.</exception>
    public static MeasurementLog Open(string? path, JsonObject settings)
    {
        if (path is null)
        {
            return new MeasurementLog(null);
        }

        try
        {
            var log = new MeasurementLog(RunLog.Open(path, settings, Read, out IReadOnlyList<((string, int) Key, double Value)> held));
            foreach (((string, int) key, double value) in held)
            {
                log._values[key] = value;
            }

            return log;
        }
        catch (InputException exception)
        {
            throw new CalibrationException(exception.Message);
        }

        static ((string, int) Key, double Value) Read(JsonObject line)
        {
            double value = double.Parse((string)line["value"]!, NumberStyles.Float, CultureInfo.InvariantCulture);
            return double.IsFinite(value) ? (((string)line["candidate"]!, (int)line["sample"]!), value) : throw new FormatException("No measured value is infinite.");
        }
    }

    /// <summary>A value that was measured already.</summary>
    public bool TryGet(string candidate, int sample, out double value) => _values.TryGetValue((candidate, sample), out value);

    /// <summary>Keeps a value.</summary>
    public void Add(string candidate, int sample, double value)
    {
        _values[(candidate, sample)] = value;
        _log?.Add(new JsonObject { ["candidate"] = candidate, ["sample"] = sample, ["value"] = value.ToString("R", CultureInfo.InvariantCulture) });
    }

    /// <inheritdoc/>
    public void Dispose() => _log?.Dispose();
}

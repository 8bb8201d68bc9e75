using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Espalier.Calibration;

/// <summary>Measured values as JSON lines, each written when it is known. The first line says what was measured on; a log of something else is refused. A line that was cut off is measured again.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class MeasurementLog : IDisposable
{
    private readonly Dictionary<(string Candidate, int Sample), double> _values = [];
    private readonly FileStream? _file;

    private MeasurementLog(FileStream? file) => _file = file;

    /// <summary>Opens a log, or one that nothing is kept of.</summary>
    /// <param name="path">The file; null for none.</param>
    /// <param name="settings">Everything that a value depends on, beside candidate and sample.</param>
    /// <exception cref="CalibrationException">The file holds something else, or cannot be written.</exception>
    public static MeasurementLog Open(string? path, JsonObject settings)
    {
        if (path is null)
        {
            return new MeasurementLog(null);
        }

        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new CalibrationException($"{path}: the log cannot be opened for writing ({exception.Message}). Name a file in a folder that exists and that no other calibration writes to.");
        }

        var log = new MeasurementLog(file);
        try
        {
            log.Read(path, settings);
            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>A value that was measured already.</summary>
    public bool TryGet(string candidate, int sample, out double value) => _values.TryGetValue((candidate, sample), out value);

    /// <summary>Keeps a value.</summary>
    public void Add(string candidate, int sample, double value)
    {
        _values[(candidate, sample)] = value;
        Write(new JsonObject { ["candidate"] = candidate, ["sample"] = sample, ["value"] = value.ToString("R", CultureInfo.InvariantCulture) });
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private void Read(string path, JsonObject settings)
    {
        byte[] bytes = new byte[_file!.Length];
        _file.ReadExactly(bytes);
        int end = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        string[] lines = Encoding.UTF8.GetString(bytes, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < lines.Length; i++)
        {
            JsonObject line = Parse(lines[i]) ?? throw Damaged(path, i + 1);
            if (i == 0)
            {
                CheckSettings(path, line, settings);
                continue;
            }

            try
            {
                _values[((string)line["candidate"]!, (int)line["sample"]!)] = double.Parse((string)line["value"]!, NumberStyles.Float, CultureInfo.InvariantCulture);
            }
            catch (Exception exception) when (exception is ArgumentNullException or NullReferenceException or InvalidOperationException or FormatException)
            {
                throw Damaged(path, i + 1);
            }
        }

        _file.SetLength(end);
        _file.Position = end;
        if (lines.Length == 0)
        {
            Write(settings);
        }
    }

    private static void CheckSettings(string path, JsonObject line, JsonObject settings)
    {
        foreach ((string name, JsonNode? value) in settings)
        {
            if (!JsonNode.DeepEquals(line[name], value))
            {
                throw new CalibrationException($"{path}: the log is of a calibration with another \"{name}\". Name another file, or delete this one to start anew.");
            }
        }
    }

    private static CalibrationException Damaged(string path, int line) =>
        new($"{path}: line {line.ToString(CultureInfo.InvariantCulture)} is not what a calibration writes. Remove the line to measure it again, or name another file.");

    private static JsonObject? Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Write(JsonObject line)
    {
        if (_file is not null)
        {
            _file.Write(Encoding.UTF8.GetBytes(line.ToJsonString() + "\n"));
            _file.Flush(flushToDisk: false);
        }
    }
}

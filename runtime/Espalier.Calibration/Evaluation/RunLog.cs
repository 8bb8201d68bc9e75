using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Espalier.Evaluation;

/// <summary>What a run found out as JSON lines, each written when it is known, so that a run that was ended at any moment goes on where it was.</summary>
/// <remarks>The first line says what the run depends on; a file of another run is refused. A line that was cut off is cut away. Not thread-safe.</remarks>
internal sealed class RunLog : IDisposable
{
    private readonly FileStream _file;

    private RunLog(FileStream file) => _file = file;

    /// <summary>Opens or makes a log.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">Everything that a line depends on.</param>
    /// <param name="read">Reads a line that an earlier run wrote; may fail as access to JSON of another form does.</param>
    /// <param name="held">What it read, in order.</param>
    /// <exception cref="InputException">The file is of another run, is damaged, or cannot be written.</exception>
    public static RunLog Open<T>(string path, JsonObject settings, Func<JsonObject, T> read, out IReadOnlyList<T> held)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new InputException($"{path}: the file cannot be opened for writing ({exception.Message}). Name one in a folder that exists and that no other run writes to.");
        }

        var log = new RunLog(file);
        try
        {
            held = log.Read(path, settings, read);
            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Adds a line.</summary>
    public void Add(JsonObject line)
    {
        _file.Write(Line(line));
        _file.Flush(flushToDisk: false);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static byte[] Line(JsonObject line) => Encoding.UTF8.GetBytes(line.ToJsonString(JsonText.Line) + "\n");

    private List<T> Read<T>(string path, JsonObject settings, Func<JsonObject, T> read)
    {
        byte[] bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        int end = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        string[] lines = Encoding.UTF8.GetString(bytes, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var held = new List<T>();
        for (int i = 0; i < lines.Length; i++)
        {
            try
            {
                JsonObject line = JsonNode.Parse(lines[i])!.AsObject();
                if (i == 0)
                {
                    CheckSettings(path, line, settings);
                }
                else
                {
                    held.Add(read(line));
                }
            }
            catch (Exception exception) when (exception is JsonException or ArgumentNullException or NullReferenceException or InvalidOperationException or FormatException)
            {
                throw new InputException($"{path}: line {(i + 1).ToString(CultureInfo.InvariantCulture)} is not what a run writes. Remove it and what stands behind it to go on before it, or delete the file to start anew.");
            }
        }

        // A line that was cut off was begun by a run. Where there is no other line, it is of this one or the file is somebody else's.
        if (lines.Length == 0 && !Line(settings).AsSpan().StartsWith(bytes.AsSpan(end)))
        {
            throw new InputException($"{path}: the file is not what a run writes, and would be lost. Name another place, or delete it.");
        }

        _file.SetLength(end);
        _file.Position = end;
        if (lines.Length == 0)
        {
            Add(settings);
        }

        return held;
    }

    private static void CheckSettings(string path, JsonObject line, JsonObject settings)
    {
        foreach ((string name, JsonNode? value) in settings)
        {
            if (!JsonNode.DeepEquals(line[name], value))
            {
                throw new InputException($"{path}: the file is of a run with another \"{name}\". Name another place for this one, or delete the file to start anew.");
            }
        }
    }
}

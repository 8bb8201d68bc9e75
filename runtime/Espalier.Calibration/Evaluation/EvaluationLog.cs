using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Espalier.Evaluation;

/// <summary>The answers of a run as JSON lines, each written when a question is answered, so that a run that was ended at any moment goes on where it was.</summary>
/// <remarks>The first line says what was asked of whom; a run with other settings is refused. A line that was cut off is cut away. Not thread-safe.</remarks>
internal sealed class EvaluationLog : IDisposable
{
    private readonly FileStream _file;

    private EvaluationLog(FileStream file, IReadOnlyList<IReadOnlyList<TakenAnswer>> answered)
    {
        _file = file;
        Answered = answered;
    }

    /// <summary>The answers that the file held already, by question.</summary>
    public IReadOnlyList<IReadOnlyList<TakenAnswer>> Answered { get; }

    /// <summary>Opens or makes a log.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">What the run asks of whom; everything that another answer could come from.</param>
    /// <param name="candidates">Answers a line.</param>
    /// <exception cref="InputException">The file is of a run with other settings, or no such file.</exception>
    public static EvaluationLog Open(string path, JsonObject settings, int candidates)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        try
        {
            byte[] bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            int end = Array.LastIndexOf(bytes, (byte)'\n') + 1;
            string[] lines = Encoding.UTF8.GetString(bytes, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            var answered = new List<IReadOnlyList<TakenAnswer>>();
            if (lines.Length > 0)
            {
                CheckSettings(path, lines[0], settings);
                for (int i = 1; i < lines.Length; i++)
                {
                    answered.Add(Parse(path, i + 1, lines[i], candidates));
                }
            }

            file.SetLength(end);
            file.Position = end;
            var log = new EvaluationLog(file, answered);
            if (lines.Length == 0)
            {
                log.Write(settings);
            }

            return log;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Adds the answers to one question.</summary>
    public void Add(Question question, IReadOnlyList<TakenAnswer> answers) =>
        Write(new JsonObject { ["line"] = question.Line, ["answers"] = new JsonArray([.. answers.Select(static answer => (JsonNode)answer.ToJson())]) });

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void CheckSettings(string path, string line, JsonObject settings)
    {
        JsonObject? before = TryParse(line) as JsonObject;
        foreach ((string name, JsonNode? value) in settings)
        {
            if (!JsonNode.DeepEquals(before?[name], value))
            {
                throw new InputException($"{path}: the file is of a run with another \"{name}\". Name another folder, or delete this one to start anew.");
            }
        }
    }

    private static TakenAnswer[] Parse(string path, int number, string line, int candidates)
    {
        try
        {
            return TryParse(line)?["answers"] is JsonArray array && array.Count == candidates
                ? [.. array.Select(static answer => TakenAnswer.From(answer!))]
                : throw Damaged();
        }
        catch (Exception exception) when (exception is NullReferenceException or InvalidOperationException or FormatException)
        {
            throw Damaged();
        }

        InputException Damaged() => new($"{path}: line {number} is not what a run writes. Remove the line and those behind it to go on before it, or delete the file to start anew.");
    }

    private static JsonNode? TryParse(string line)
    {
        try
        {
            return JsonNode.Parse(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Write(JsonObject line)
    {
        _file.Write(Encoding.UTF8.GetBytes(line.ToJsonString(JsonText.Line) + "\n"));
        _file.Flush(flushToDisk: false);
    }
}

using System.Text.Json.Nodes;

namespace Espalier.Evaluation;

/// <summary>The answers of a run, a line a question.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class EvaluationLog : IDisposable
{
    private readonly RunLog _log;

    private EvaluationLog(RunLog log, IReadOnlyList<IReadOnlyList<TakenAnswer>> answered)
    {
        _log = log;
        Answered = answered;
    }

    /// <summary>The answers that the file held already, by question.</summary>
    public IReadOnlyList<IReadOnlyList<TakenAnswer>> Answered { get; }

    /// <summary>Opens or makes a log.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">What the run asks of whom; everything that another answer could come from.</param>
    /// <param name="candidates">Answers a line.</param>
    /// <exception cref="InputException">The file is of a run with other settings, is damaged, or cannot be written.</exception>
    public static EvaluationLog Open(string path, JsonObject settings, int candidates)
    {
        var log = RunLog.Open(path, settings, Read, out IReadOnlyList<IReadOnlyList<TakenAnswer>> answered);
        return new EvaluationLog(log, answered);

        IReadOnlyList<TakenAnswer> Read(JsonObject line) => line["answers"]!.AsArray() is { } answers && answers.Count == candidates
            ? [.. answers.Select(static answer => TakenAnswer.From(answer!))]
            : throw new FormatException("Another number of answers.");
    }

    /// <summary>Adds the answers to one question.</summary>
    public void Add(Question question, IReadOnlyList<TakenAnswer> answers) =>
        _log.Add(new JsonObject { ["line"] = question.Line, ["answers"] = new JsonArray([.. answers.Select(static answer => (JsonNode)answer.ToJson())]) });

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();
}

using System.Text.Json;

namespace Espalier.Samples.Shapes.Evaluation;

/// <summary>Reads <c>questions.jsonl</c>: one JSON object a line with <c>image</c>, <c>question</c>, <c>answer</c> and <c>type</c>.</summary>
internal static class QuestionFile
{
    /// <summary>All questions of a folder.</summary>
    /// <exception cref="CommandException">The file is missing, or a line is not such an object.</exception>
    public static IReadOnlyList<Question> Read(string folder)
    {
        string path = Path.Combine(folder, "questions.jsonl");
        if (!File.Exists(path))
        {
            throw new CommandException($"{path}: there is no such file. Name a folder that holds questions.jsonl with --questions, or leave the option out.");
        }

        var questions = new List<Question>();
        foreach (string line in File.ReadLines(path))
        {
            questions.Add(Parse(folder, path, questions.Count + 1, line));
        }

        return questions.Count > 0 ? questions : throw new CommandException($"{path}: the file is empty. Put one question on each line.");
    }

    /// <summary>So many of the questions, evenly spread, so that every type is among them.</summary>
    public static IReadOnlyList<Question> Spread(IReadOnlyList<Question> all, int count) =>
        count >= all.Count ? all : [.. Enumerable.Range(0, count).Select(i => all[(int)((long)i * all.Count / count)])];

    private static Question Parse(string folder, string path, int number, string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return new Question(Path.Combine(folder, Field("image")), Field("question"), Field("answer"), Field("type"));

            string Field(string name) =>
                document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
                    ? value.GetString()!
                    : throw new CommandException($"{path}: line {number} has no text \"{name}\". Each line is an object with image, question, answer and type.");
        }
        catch (JsonException)
        {
            throw new CommandException($"{path}: line {number} is not JSON. Each line is an object with image, question, answer and type.");
        }
    }
}

using System.Text.Json;

namespace Espalier.Evaluation;

/// <summary>Reads JSON lines of questions: <c>image</c> (a path beside the file), <c>question</c>, <c>answer</c> (a text, or a list of texts that are all right) and, if wanted, <c>type</c>.</summary>
internal static class QuestionFile
{
    private const string Form = "Each line is an object with image, question, answer and, if you like, type.";

    /// <summary>All questions of a file; empty lines are skipped.</summary>
    /// <exception cref="InputException">The file is missing or empty, or a line is not such an object.</exception>
    public static IReadOnlyList<Question> Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new InputException($"{path}: there is no such file. Name a file of JSON lines with image, question and answer.");
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var questions = new List<Question>();
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
            {
                questions.Add(Parse(folder, path, number, line));
            }
        }

        return questions.Count > 0 ? questions : throw new InputException($"{path}: the file is empty. Put one question on each line.");
    }

    /// <summary>So many of the questions, evenly spread, so that every part of the file is among them.</summary>
    public static IReadOnlyList<Question> Spread(IReadOnlyList<Question> all, int count) =>
        count <= 0 || count >= all.Count ? all : [.. Enumerable.Range(0, count).Select(i => all[(int)((long)i * all.Count / count)])];

    private static Question Parse(string folder, string path, int number, string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new InputException($"{path}: line {number} is not an object. {Form}");
            }

            string image = Path.Combine(folder, Text(root, "image"));
            return File.Exists(image)
                ? new Question(number, image, Text(root, "question"), Answers(root), root.TryGetProperty("type", out _) ? Text(root, "type") : "")
                : throw new InputException($"{path}: line {number}: \"image\" names {image}, which does not exist. Paths are relative to the folder of {Path.GetFileName(path)}.");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // A text with half a surrogate pair is JSON, and no text.
            throw new InputException($"{path}: line {number} is not JSON. {Form}");
        }

        string Text(JsonElement root, string name) =>
            root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
                ? text
                : throw new InputException($"{path}: line {number} has no text \"{name}\". {Form}");

        IReadOnlyList<string> Answers(JsonElement root)
        {
            if (root.TryGetProperty("answer", out JsonElement value) && value.ValueKind == JsonValueKind.Array)
            {
                string[] several = [.. value.EnumerateArray().Select(static item => item.ValueKind == JsonValueKind.String ? item.GetString()! : "")];
                return several.Length > 0 && several.All(static answer => answer.Length > 0)
                    ? several
                    : throw new InputException($"{path}: line {number}: \"answer\" is a list, and not of texts. {Form}");
            }

            return [Text(root, "answer")];
        }
    }
}

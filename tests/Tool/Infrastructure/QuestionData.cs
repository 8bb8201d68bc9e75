using System.Text.Json.Nodes;

namespace Espalier.Tests;

/// <summary>Questions of the sample, by absolute paths of their pictures.</summary>
internal static class QuestionData
{
    /// <summary>Writes some, spread over the set.</summary>
    public static void Write(string path, int count)
    {
        string samples = RepositoryFolder.Combine("samples", "evaluation");
        string[] lines = File.ReadAllLines(Path.Combine(samples, "questions.jsonl"));
        File.WriteAllLines(path, Enumerable.Range(0, count).Select(i =>
        {
            JsonNode question = JsonNode.Parse(lines[i * lines.Length / count])!;
            question["image"] = Path.Combine(samples, question["image"]!.GetValue<string>());
            return question.ToJsonString();
        }));
    }
}

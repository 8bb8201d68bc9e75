using System.Text.Json;
using Espalier.Imaging;

namespace Espalier.Tests;

/// <summary>The questions that the sample model was not trained on, with their answers.</summary>
internal static class HeldOutQuestions
{
    private static readonly string Samples = RepositoryFolder.Combine("samples");

    public static string ModelFolder { get; } = Path.Combine(Samples, "models", "shapes");

    /// <summary>Asks every n-th question.</summary>
    public static async IAsyncEnumerable<(string Answer, bool IsRight)> AskAsync(VisionLanguageModel model, Sequence sequence, int every)
    {
        foreach (string line in File.ReadLines(Path.Combine(Samples, "evaluation", "questions.jsonl")).Where((_, i) => i % every == 0))
        {
            using JsonDocument question = JsonDocument.Parse(line);
            string Field(string name) => question.RootElement.GetProperty(name).GetString()!;
            DecodedImage image = ImageDecoder.Load(Path.Combine(Samples, "evaluation", Field("image")));
            string answer = "";
            await foreach (string text in model.AnswerAsync(sequence, image, Field("question")))
            {
                answer += text;
            }

            yield return (answer.Trim(), answer.Trim() == Field("answer"));
        }
    }
}

using System.Text.Json;
using Espalier.Imaging;
using Espalier.Tests.Declared;
using Xunit.Abstractions;

namespace Espalier.Tests;

/// <summary>The sample model through the product: pictures decoded, questions tokenised, answers streamed.</summary>
public sealed class EvaluationTests(ITestOutputHelper output)
{
    private static readonly string Samples = RepositoryFolder.Combine("samples");

    [Fact]
    public async Task TheDenseModelAnswersAtLeastNineTenthsOfTheHeldOutQuestions()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Path.Combine(Samples, "models", "shapes"));
        using ShapesDense model = ShapesDense.Load(checkpoint);
        using Sequence sequence = model.CreateSequence(checkpoint.Geometry.Text.MaxPositions);
        int right = 0;
        int asked = 0;
        foreach (string line in File.ReadLines(Path.Combine(Samples, "evaluation", "questions.jsonl")))
        {
            using JsonDocument question = JsonDocument.Parse(line);
            string Field(string name) => question.RootElement.GetProperty(name).GetString()!;
            DecodedImage image = ImageDecoder.Load(Path.Combine(Samples, "evaluation", Field("image")));
            string answer = "";
            await foreach (string text in model.AnswerAsync(sequence, image, Field("question")))
            {
                answer += text;
            }

            Assert.Equal(FinishReason.Stop, sequence.Statistics.FinishReason);
            right += answer.Trim() == Field("answer") ? 1 : 0;
            asked++;
        }

        output.WriteLine($"{right} of {asked} right");
        Assert.True(asked >= 500, $"Only {asked} questions.");
        Assert.True(right >= 0.9 * asked, $"{right} of {asked} right.");
    }
}

using System.Text.Json;
using Espalier.Imaging;
using Espalier.Tests.Declared;
using Espalier.Vision;
using Xunit.Abstractions;

namespace Espalier.Tests;

/// <summary>What the sample model answers to the held-out questions, by precision.</summary>
public sealed class AccuracyTests(QuantisedFolder folder, ITestOutputHelper output) : IClassFixture<QuantisedFolder>
{
    private static readonly string Folder = RepositoryFolder.Combine("samples", "evaluation");

    [Fact]
    public async Task EachPrecisionAnswersWithinPointsOfSinglePrecision()
    {
        using Checkpoint checkpoint = Checkpoint.Open(RepositoryFolder.Combine("samples", "models", "shapes"));
        Question[] questions = [.. File.ReadLines(Path.Combine(Folder, "questions.jsonl")).Select(Question.Read)];
        string[] single = await Answer(checkpoint, questions, Precision.Float32);
        double baseline = Score(questions, single);
        foreach ((Precision precision, double points) in ((Precision, double)[])[(Precision.Float16, 0.5), (Precision.Int8, 1), (Precision.Int4, 5), (Precision.Int8PrefillInt4Decode, 2)])
        {
            string[] answers = await Answer(checkpoint, questions, precision);
            double score = Score(questions, answers);
            int same = answers.Zip(single).Count(static pair => pair.First == pair.Second);
            output.WriteLine($"{precision}: {score:F1} % of {questions.Length} questions right, single precision {baseline:F1} %; {same} answers the same");
            Assert.True(score >= baseline - points, $"{precision} answers {score:F1} % rightly, single precision {baseline:F1} %.");
        }
    }

    private static double Score(Question[] questions, string[] answers) => 100.0 * questions.Zip(answers).Count(static pair => pair.First.Answer == pair.Second) / questions.Length;

    private async Task<string[]> Answer(Checkpoint checkpoint, Question[] questions, Precision precision)
    {
        using var model = ShapesDense.Load(checkpoint, folder.Options(precision));
        using Sequence sequence = model.CreateSequence(256);
        var answers = new string[questions.Length];
        for (int i = 0; i < questions.Length; i++)
        {
            DecodedImage image = ImageDecoder.Load(Path.Combine(Folder, questions[i].Image));
            string answer = "";
            await foreach (string text in model.AnswerAsync(sequence, new RgbImage(image.Pixels, image.Width, image.Height), questions[i].Text))
            {
                answer += text;
            }

            answers[i] = answer.Trim();
        }

        return answers;
    }

    private sealed record Question(string Image, string Text, string Answer)
    {
        public static Question Read(string line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            return new Question(root.GetProperty("image").GetString()!, root.GetProperty("question").GetString()!, root.GetProperty("answer").GetString()!);
        }
    }
}

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
        int asked = await Answer(static c => ShapesDense.Load(c), every: 1, static _ => { });
        Assert.True(asked >= 500, $"Only {asked} questions.");
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public Task RegistersAnswerAsWell(int registers) => Answer(
        c => registers switch { 4 => ShapesVictor4.Load(c), 8 => ShapesVictor8.Load(c), _ => ShapesVictor16.Load(c) },
        every: 5,
        static statistics => Assert.Equal(2, statistics.ExitLayer));

    [Fact]
    public async Task GatesLetMostPromptsGoBeforeTheEndAndAtDifferentLayers()
    {
        var exits = new List<int?>();
        await Answer(static c => ShapesDyVte.Load(c), every: 5, statistics => exits.Add(statistics.ExitLayer));
        output.WriteLine(string.Join(", ", exits.GroupBy(static exit => exit).OrderBy(static group => group.Key).Select(static group => $"{group.Key}: {group.Count()}")));
        Assert.True(exits.Count(static exit => exit is not null) > exits.Count / 2);
        Assert.True(exits.Distinct().Count() > 2);
    }

    /// <summary>Asks some of the questions and requires nine right answers of ten.</summary>
    /// <returns>How many were asked.</returns>
    private async Task<int> Answer(Func<Checkpoint, VisionLanguageModel> load, int every, Action<AnswerStatistics> afterEach)
    {
        using Checkpoint checkpoint = Checkpoint.Open(Path.Combine(Samples, "models", "shapes"));
        using VisionLanguageModel model = load(checkpoint);
        using Sequence sequence = model.CreateSequence(checkpoint.Geometry.Text.MaxPositions);
        int right = 0;
        int asked = 0;
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

            Assert.Equal(FinishReason.Stop, sequence.Statistics.FinishReason);
            afterEach(sequence.Statistics);
            right += answer.Trim() == Field("answer") ? 1 : 0;
            asked++;
        }

        output.WriteLine($"{right} of {asked} right");
        Assert.True(right >= 0.9 * asked, $"{right} of {asked} right.");
        return asked;
    }
}

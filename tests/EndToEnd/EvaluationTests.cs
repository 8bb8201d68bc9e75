using Espalier.Tests.Declared;
using Xunit.Abstractions;

namespace Espalier.Tests;

/// <summary>The sample model through the product: pictures decoded, questions tokenised, answers streamed.</summary>
public sealed class EvaluationTests(ITestOutputHelper output)
{
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
        using Checkpoint checkpoint = Checkpoint.Open(HeldOutQuestions.ModelFolder);
        using VisionLanguageModel model = load(checkpoint);
        using Sequence sequence = model.CreateSequence(checkpoint.Geometry.Text.MaxPositions);
        int right = 0;
        int asked = 0;
        await foreach ((_, bool isRight) in HeldOutQuestions.AskAsync(model, sequence, every))
        {
            Assert.Equal(FinishReason.Stop, sequence.Statistics.FinishReason);
            afterEach(sequence.Statistics);
            right += isRight ? 1 : 0;
            asked++;
        }

        output.WriteLine($"{right} of {asked} right");
        Assert.True(right >= 0.9 * asked, $"{right} of {asked} right.");
        return asked;
    }
}

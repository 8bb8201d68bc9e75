using System.CommandLine;

namespace Espalier.CommandLine;

/// <summary>The options that say how an answer is chosen and when it ends.</summary>
internal sealed class SamplingOptions
{
    private readonly Option<float> _temperature = NumberOption.Create("--temperature", "0 takes the most likely word; above, words are drawn by their probability.", static value => value >= 0f && float.IsFinite(value), "is a number of at least 0", 0f);
    private readonly Option<float> _topP = NumberOption.Create("--top-p", "Draws only from the most likely words that together have this probability.", static value => value is > 0f and <= 1f, "is a number above 0 and at most 1", 1f);
    private readonly Option<ulong> _seed = NumberOption.Create("--seed", "The same seed draws the same words.", static _ => true, "is a whole number of at least 0", 0ul);
    private readonly Option<int> _maxTokens;

    private SamplingOptions(int maxTokens) =>
        _maxTokens = NumberOption.Create("--max-tokens", "Tokens that an answer has at the most.", static value => value >= 1, "is a whole number of at least 1", maxTokens);

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="maxTokens">Tokens of an answer, unless the user says otherwise.</param>
    public static SamplingOptions AddTo(Command command, int maxTokens)
    {
        var options = new SamplingOptions(maxTokens);
        command.Add(options._temperature);
        command.Add(options._topP);
        command.Add(options._seed);
        command.Add(options._maxTokens);
        return options;
    }

    /// <summary>What the user chose.</summary>
    public AnswerOptions Read(ParseResult parsed) => new()
    {
        Temperature = parsed.GetValue(_temperature),
        TopP = parsed.GetValue(_topP),
        Seed = parsed.GetValue(_seed),
        MaxNewTokens = parsed.GetValue(_maxTokens),
    };
}

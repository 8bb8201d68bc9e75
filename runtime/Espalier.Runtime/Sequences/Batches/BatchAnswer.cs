namespace Espalier;

/// <summary>What became of one question of a batch.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Index">Which question it was, from 0 in the order in which they were given.</param>
/// <param name="Text">The answer, as <see cref="VisionLanguageModel.AnswerAsync(Sequence, Vision.RgbImage, string, AnswerOptions?, CancellationToken)"/> would have streamed it; what there was of it if there is an error.</param>
/// <param name="Statistics">What it took. Steps are counted in full by every answer that took part in them.</param>
/// <param name="Error">Why there is no answer; null if there is one. The other questions are not touched by it.</param>
public sealed record BatchAnswer(int Index, string Text, AnswerStatistics Statistics, Exception? Error);

/// <summary>How far a batch is.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Started">Questions whose prompt was run, or could not be.</param>
/// <param name="Finished">Questions with an answer or an error.</param>
/// <param name="GeneratedTokens">Tokens of all answers so far.</param>
public readonly record struct BatchProgress(int Started, int Finished, long GeneratedTokens);

namespace Espalier.Evaluation;

/// <summary>A question with a known answer.</summary>
/// <param name="Line">Its line in the data file, from 1.</param>
/// <param name="Image">Path of the picture.</param>
/// <param name="Text">The question.</param>
/// <param name="Answers">The right answers, at least one.</param>
/// <param name="Type">A group that gets a column of its own in the report; empty if the data has none.</param>
internal sealed record Question(int Line, string Image, string Text, IReadOnlyList<string> Answers, string Type);

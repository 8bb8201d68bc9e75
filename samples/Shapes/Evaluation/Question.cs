namespace Espalier.Samples.Shapes.Evaluation;

/// <summary>A held-out question.</summary>
/// <param name="Image">Path of the picture.</param>
/// <param name="Text">The question.</param>
/// <param name="Answer">The one right answer.</param>
/// <param name="Type">What it asks for: color, shape, count, exists, where.</param>
internal sealed record Question(string Image, string Text, string Answer, string Type);

namespace Espalier.Evaluation;

/// <summary>Something that the user can put right: one sentence that names the file, what is wrong in it, and the fix.</summary>
internal sealed class InputException(string message) : Exception(message);

namespace Espalier.Samples.Shapes;

/// <summary>Something that the user can put right: one line that names the file and the fix.</summary>
internal sealed class CommandException(string message) : Exception(message);

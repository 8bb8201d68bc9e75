using System.CommandLine;

namespace Espalier.CommandLine;

/// <summary>A command with command lines that can be copied.</summary>
/// <param name="name">The name.</param>
/// <param name="description">What it does, in a sentence.</param>
/// <param name="examples">What follows the program's name, at least one.</param>
internal sealed class DocumentedCommand(string name, string description, params IReadOnlyList<string> examples) : Command(name, description)
{
    /// <summary>What follows the program's name.</summary>
    public IReadOnlyList<string> Examples => examples;
}

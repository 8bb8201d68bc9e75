namespace Espalier.Planning;

/// <summary>Where a step reduces the visual tokens.</summary>
public enum Site
{
    /// <summary>Behind a decoder layer.</summary>
    DecoderBoundary,

    /// <summary>At the output of the vision tower, before the projector.</summary>
    VisionOutput,

    /// <summary>Behind the projector, before the decoder.</summary>
    Projected,
}

/// <summary>The tower layers whose CLS attention a step adds up: softmax over all rows, mean over heads, without the CLS column. Zero-based, both ends inclusive.</summary>
/// <param name="FirstLayer">First layer of the sum.</param>
/// <param name="LastLayer">Last layer of the sum.</param>
public sealed record TowerScores(int FirstLayer, int LastLayer);

/// <summary>The function of the runtime that picks the tokens of a vision-side step: <c>Espalier.{Name}.Select</c>.</summary>
/// <param name="Name">The class of the function, which is named as the method.</param>
/// <param name="Scratch">Floats of scratch that it takes; 0 if it takes none.</param>
/// <param name="Arguments">Its numbers, in the order of its parameters.</param>
public sealed record Kernel(string Name, int Scratch, EquatableArray<KernelArgument> Arguments);

/// <summary>A number that a kernel takes.</summary>
/// <param name="Name">The parameter.</param>
/// <param name="Value">The number; an integer if the parameter is one.</param>
public sealed record KernelArgument(string Name, double Value);

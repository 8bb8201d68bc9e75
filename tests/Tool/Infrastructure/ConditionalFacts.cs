namespace Espalier.Tests;

/// <summary>A test that runs commands of the documentation.</summary>
internal sealed class PosixFactAttribute() : ConditionalFactAttribute(Missing)
{
    /// <summary>What is missing of a shell.</summary>
    public static string? Missing => OperatingSystem.IsWindows() ? "The commands are those of a POSIX shell." : null;
}

/// <inheritdoc cref="PosixFactAttribute"/>
internal sealed class PosixTheoryAttribute() : ConditionalTheoryAttribute(PosixFactAttribute.Missing);

/// <summary>A test that runs Python of the documentation.</summary>
internal sealed class PythonFactAttribute() : ConditionalFactAttribute(PosixFactAttribute.Missing ?? (File.Exists(Python) ? null : Python + " is not there."))
{
    /// <summary>The interpreter.</summary>
    public const string Python = "/usr/bin/python3";
}

namespace Espalier.Tests;

/// <summary>A test that sends SIGTERM.</summary>
internal sealed class TerminateFactAttribute() : ConditionalFactAttribute(OperatingSystem.IsWindows() ? "Windows has no SIGTERM." : null);

/// <summary>A test that runs a script with node and packages from npm.</summary>
internal sealed class NodeFactAttribute() : ConditionalFactAttribute(Missing)
{
    /// <summary>What is missing of node.</summary>
    public static string? Missing => NodeScript.IsAvailable ? null : "node or npm is not on PATH.";
}

/// <summary>A test that opens the page in Chromium.</summary>
internal sealed class BrowserFactAttribute() : ConditionalFactAttribute(
    NodeFactAttribute.Missing ?? (NodeScript.Chromium is null ? "There is no chromium on PATH; the variable CHROMIUM can name another file." : null));

/// <summary>A test that runs commands of the documentation.</summary>
internal sealed class CurlFactAttribute() : ConditionalFactAttribute(
    NodeScript.Find("curl") is null || NodeScript.Find("bash") is null ? "curl or bash is not on PATH." : null);

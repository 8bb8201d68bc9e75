namespace Espalier.Tests;

/// <summary>A test that sends SIGTERM, which Windows does not have.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TerminateFactAttribute : FactAttribute
{
    public TerminateFactAttribute()
    {
        if (OperatingSystem.IsWindows())
        {
            Skip = "Windows has no SIGTERM.";
        }
    }
}

/// <summary>A test that runs a script with node and packages from npm.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute()
    {
        if (!NodeScript.IsAvailable)
        {
            Skip = "node or npm is not on PATH.";
        }
    }
}

/// <summary>A test that opens the page in Chromium.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute()
    {
        Skip = !NodeScript.IsAvailable ? "node or npm is not on PATH."
            : NodeScript.Chromium is null ? "There is no chromium on PATH; the variable CHROMIUM can name another file."
            : null;
    }
}

/// <summary>A test that runs commands of the documentation.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CurlFactAttribute : FactAttribute
{
    public CurlFactAttribute()
    {
        Skip = NodeScript.Find("curl") is null || NodeScript.Find("bash") is null ? "curl or bash is not on PATH." : null;
    }
}

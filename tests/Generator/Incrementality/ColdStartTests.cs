using System.Diagnostics;
using System.Reflection;

namespace Espalier.Tests;

/// <summary>What keeps the first run short. How long it takes is measured by the benchmark <c>generator</c>.</summary>
public sealed class ColdStartTests
{
    [Fact]
    public void NoTimeGoesIntoOptimisingCodeThatRunsOnce()
    {
        DebuggableAttribute? jit = typeof(VisionLanguageModelGenerator).Assembly.GetCustomAttribute<DebuggableAttribute>();

        Assert.NotNull(jit);
        Assert.True(jit.IsJITOptimizerDisabled);
        Assert.True(jit.IsJITTrackingEnabled, "without DebuggingModes.Default the runtime optimises all the same");
    }
}

namespace Espalier.Tests;

/// <summary>A test of something that not every machine has; where it is missing, the test is shown as skipped, with the reason.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal abstract class ConditionalFactAttribute : FactAttribute
{
    /// <param name="missing">What is missing here; null if the test can run.</param>
    protected ConditionalFactAttribute(string? missing) => Skip = missing;
}

namespace Espalier.Tests;

/// <summary>As <see cref="ConditionalFactAttribute"/>, for several rows.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal abstract class ConditionalTheoryAttribute : TheoryAttribute
{
    /// <param name="missing">What is missing here; null if the test can run.</param>
    protected ConditionalTheoryAttribute(string? missing) => Skip = missing;
}

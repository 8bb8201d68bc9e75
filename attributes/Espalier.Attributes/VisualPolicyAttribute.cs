using System;

namespace Espalier;

/// <summary>The base of every policy: an attribute that says what happens to the visual tokens of a <see cref="VisionLanguageModelAttribute"/> class.</summary>
/// <remarks>All layers are zero-based decoder layers and all ranges include both ends. <c>AfterLayer = 2</c> is the boundary between layers 2 and 3.</remarks>
public abstract class VisualPolicyAttribute : Attribute
{
    private protected VisualPolicyAttribute()
    {
    }
}

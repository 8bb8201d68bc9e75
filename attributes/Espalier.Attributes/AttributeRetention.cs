namespace Espalier;

/// <summary>Decides whether the attributes of this assembly are written into the assembly that uses them.</summary>
internal static class AttributeRetention
{
    /// <summary>The compilation symbol that keeps them. It is defined nowhere: the attributes speak to the compiler alone.</summary>
    public const string Symbol = "ESPALIER_KEEP_ATTRIBUTES";
}

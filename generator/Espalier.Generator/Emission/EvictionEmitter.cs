using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes the text rows that leave the caches before a decode step.</summary>
internal static class EvictionEmitter
{
    public static void Emit(SourceWriter writer, TextEviction eviction)
    {
        writer.Line("// Text tokens between separators leave all caches once their segment has ended; " + (eviction.Initial == 0 ? "" : "the first " + PlanText.Count(eviction.Initial) + ", ")
            + "the separators and the " + PlanText.Count(eviction.Neighbours) + " nearest to the last of them stay (" + eviction.Declaration + ").");
        writer.Line("pass.EvictText(initial: " + Literal.Of(eviction.Initial) + ", neighbours: " + Literal.Of(eviction.Neighbours) + ");");
    }
}

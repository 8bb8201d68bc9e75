namespace Espalier;

/// <summary>One spelling for the tensor names of all versions of transformers.</summary>
/// <remarks>
/// Files saved before transformers 4.52 say <c>language_model.model.layers…</c>, <c>language_model.lm_head.weight</c>, <c>vision_tower.vision_model…</c>;
/// later ones say <c>model.language_model.layers…</c>, <c>lm_head.weight</c>, <c>model.vision_tower…</c>. Canonical are
/// <c>language_model.layers…</c>, <c>lm_head.weight</c>, <c>vision_tower.encoder…</c>, <c>multi_modal_projector…</c>.
/// </remarks>
internal static class CanonicalNames
{
    public const string Head = "lm_head.weight";
    public const string Embeddings = "language_model.embed_tokens.weight";

    private static readonly string[] Parts =
        ["language_model.", "vision_tower.", "visual.", "multi_modal_projector.", "connector.", "text_model.", "vision_model.", "image_newline"];

    /// <summary>The canonical name, or null for a tensor that is derived from the config and stored by accident.</summary>
    public static string? For(string stored)
    {
        if (stored.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || stored.EndsWith(".position_ids", StringComparison.Ordinal))
        {
            return null;
        }

        string name = stored;
        if (TryStrip(ref name, "model.") && !Parts.Any(part => name.StartsWith(part, StringComparison.Ordinal)))
        {
            name = stored;
        }

        string decoder = name;
        if (TryStrip(ref decoder, "language_model.model."))
        {
            return "language_model." + decoder;
        }

        if (TryStrip(ref decoder, "language_model.") && decoder.StartsWith("lm_head", StringComparison.Ordinal))
        {
            return decoder;
        }

        string tower = name;
        return TryStrip(ref tower, "vision_tower.vision_model.") ? "vision_tower." + tower : name;
    }

    private static bool TryStrip(ref string name, string prefix)
    {
        if (!name.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }

        name = name[prefix.Length..];
        return true;
    }
}

using System.Buffers;
using Espalier.Text;

namespace Espalier;

/// <summary>The tokens of a vocabulary that are separators (SepLLM, arXiv 2412.12094): those that consist of <c>. , ? ! ; :</c>, spaces, tabs and line feeds alone.</summary>
/// <remarks>Immutable, thread-safe.</remarks>
internal sealed class SeparatorTokens
{
    private const string Characters = ".,?!;: \t\n";

    // Spaces as both kinds of vocabulary write them, line feed and tab as byte-level ones do; a byte token is looked at by its text.
    private static readonly SearchValues<char> Possible = SearchValues.Create(Characters + "\u2581\u0120\u010A\u0109");

    private readonly bool[] _isSeparator;

    private SeparatorTokens(bool[] isSeparator) => _isSeparator = isSeparator;

    /// <summary>Looks the separators up in a tokenizer.</summary>
    /// <param name="tokenizer">The checkpoint's.</param>
    /// <param name="declaration">The policy that asks for them.</param>
    /// <exception cref="TokenizerException">It has none.</exception>
    public static SeparatorTokens Of(Tokenizer tokenizer, string declaration)
    {
        var isSeparator = new bool[tokenizer.VocabularySize];
        bool found = false;
        for (int id = 0; id < isSeparator.Length; id++)
        {
            if (tokenizer.TokenText(id) is not { Length: > 0 } token || !(token[0] == '<' || Possible.Contains(token[0])))
            {
                continue;
            }

            // Twice, since some decoders strip the first space of a text.
            string text = tokenizer.Decode([id, id]);
            isSeparator[id] = text.Length > 0 && !text.AsSpan().ContainsAnyExcept(Characters);
            found |= isSeparator[id];
        }

        return found
            ? new SeparatorTokens(isSeparator)
            : throw new TokenizerException(
                TokenizerError.UnknownToken, tokenizer.File, "$.model.vocab",
                $"no token consists of separators alone (. , ? ! ; : space, tab, line feed), so '{declaration}' could never let text leave. Use the model's own tokenizer.json, or remove the declaration");
    }

    /// <summary>True if a token is a separator. Ids that the tokenizer does not know are none.</summary>
    /// <param name="id">The token.</param>
    public bool Contains(int id) => (uint)id < (uint)_isSeparator.Length && _isSeparator[id];
}

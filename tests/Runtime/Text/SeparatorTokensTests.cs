using Espalier.Text;

namespace Espalier.Tests.Text;

/// <summary>Which tokens of a vocabulary end a segment (SepLLM).</summary>
public sealed class SeparatorTokensTests
{
    [Theory]
    [InlineData("llama-prepend")]
    [InlineData("llama-metaspace")]
    [InlineData("qwen2")]
    [InlineData("gpt2-digits")]
    [InlineData("llama3")]
    public void SeparatorsAreTheTokensThatASegmentEndsWith(string name)
    {
        Tokenizer tokenizer = TokenizerFiles.Open(name);
        SeparatorTokens separators = SeparatorTokens.Of(tokenizer, "SepLlm");
        int[] word = tokenizer.Encode("a", addSpecialTokens: false);
        int found = 0;
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            // Between two words, so that no decoder takes a space away.
            string text = tokenizer.Decode([.. word, id, .. word]);
            string middle = text.Length >= 2 && text[0] == 'a' && text[^1] == 'a' ? text[1..^1].TrimEnd(' ') : "x";
            bool expected = tokenizer.TokenText(id) is not null && !tokenizer.IsSpecial(id) && tokenizer.Decode([id, id]).Length > 0 && middle.All(static c => ".,?!;: \t\n".Contains(c, StringComparison.Ordinal));
            Assert.True(expected == separators.Contains(id), $"{id}: '{tokenizer.TokenText(id)}'");
            found += expected ? 1 : 0;
        }

        Assert.InRange(found, 3, tokenizer.VocabularySize / 4);
        foreach (string end in (string[])[".", ",", "\n"])
        {
            Assert.True(separators.Contains(tokenizer.Encode("a" + end, addSpecialTokens: false)[^1]), end);
        }

        Assert.False(separators.Contains(word[^1]));
        Assert.False(separators.Contains(-1));
        Assert.False(separators.Contains(tokenizer.VocabularySize));
    }

    [Fact]
    public void AVocabularyWithoutSeparatorsIsRefused()
    {
        Tokenizer tokenizer = TokenizerFiles.Characters("ab-<");
        TokenizerException error = Assert.Throws<TokenizerException>(() => SeparatorTokens.Of(tokenizer, "SepLlm(N = 9)"));
        Assert.Equal((TokenizerError.UnknownToken, "tokenizer.json", "$.model.vocab"), (error.Error, error.File, error.Path));
        Assert.Contains("'SepLlm(N = 9)'", error.Message, StringComparison.Ordinal);
        Assert.True(SeparatorTokens.Of(TokenizerFiles.Characters("ab;"), "SepLlm").Contains(2));
    }
}

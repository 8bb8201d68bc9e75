using System.Diagnostics;
using System.Text.Json.Nodes;
using Espalier.Text;

namespace Espalier.Tests.Text;

/// <summary>Settings that the golden tokenizers do not have, or on which the reference in JavaScript differs from the definition in Rust.</summary>
public class TokenizerComponentTests
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz ▁.,!0123456789AB\n";

    [Theory]
    [InlineData("Removed", false, "a, b,,c", "a| |b|c")]
    [InlineData("Isolated", false, "a, b,,c", "a|,| |b|,|,|c")]
    public void SplitsRemovingOrIsolating(string behavior, bool invert, string text, string expected) =>
        Assert.Equal(expected, TokenizerFiles.Tokens(Split("""{"String":","}""", behavior, invert), text));

    [Theory]
    [InlineData("Removed", false, "ab|c")]
    [InlineData("Removed", true, ",|,|,")]
    [InlineData("Isolated", false, "ab|,|,|c|,")]
    [InlineData("MergedWithPrevious", false, "ab,|,|c,")]
    [InlineData("MergedWithNext", false, "ab|,|,c|,")]
    [InlineData("Contiguous", false, "ab|,,|c|,")]
    [InlineData("MergedWithPrevious", true, "ab|,|,c|,")]
    public void SplitsByEveryBehavior(string behavior, bool invert, string expected)
    {
        // ignore_merges makes one token of a whole piece, so the pieces can be read off the tokens.
        Tokenizer tokenizer = Pieces(["ab", ",", "ab,", "c,", ",c", "c", ",,"], $$"""{"type":"Split","pattern":{"Regex":","},"behavior":"{{behavior}}","invert":{{(invert ? "true" : "false")}}}""");
        Assert.Equal(expected, TokenizerFiles.Tokens(tokenizer, "ab,,c,"));
    }

    [Fact]
    public void DigitsAreWhateverUnicodeCountsAsNumeric()
    {
        string[] pieces = ["a", "1²", "Ⅷ", "½", "𝟘𝟙", "b", "٣"];
        Assert.Equal("a|1²|b|𝟘𝟙", TokenizerFiles.Tokens(Pieces(pieces, """{"type":"Digits","individual_digits":false}"""), "a1²b𝟘𝟙"));
        Assert.Equal("Ⅷ|½|a|٣", TokenizerFiles.Tokens(Pieces(pieces, """{"type":"Digits","individual_digits":true}"""), "Ⅷ½a٣"));
    }

    [Theory]
    [InlineData("always", "ab  c", "▁ab|▁|▁c")]
    [InlineData("never", "ab  c", "ab|▁|▁c")]
    [InlineData("first", " ab", "▁ab")]
    public void MetaspaceSplitsBeforeEachReplacement(string scheme, string text, string expected) =>
        Assert.Equal(expected, TokenizerFiles.Tokens(Pieces(["▁ab", "ab", "▁", "▁c"], $$"""{"type":"Metaspace","replacement":"▁","prepend_scheme":"{{scheme}}"}"""), text));

    [Fact]
    public void MetaspacePrependsOnlyToTheBeginningOfTheTextWhereTheSchemeIsFirst()
    {
        Tokenizer tokenizer = TokenizerFiles.Characters("ab▁", preTokenizer: """{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false}""",
            addedTokens: """[{"id":9,"content":"<x>","normalized":true},{"id":10,"content":"<y>","normalized":false}]""");
        Assert.Equal("▁|a|<x>|b|<y>|a", TokenizerFiles.Tokens(tokenizer, "a<x>b<y>a"));
        Assert.Equal("<x>|a", TokenizerFiles.Tokens(tokenizer, "<x>a"));
    }

    [Fact]
    public void ByteLevelPrependsASpaceWhereTheFileSaysSo()
    {
        Tokenizer tokenizer = TokenizerFiles.Characters("Ġab", preTokenizer: """{"type":"ByteLevel","add_prefix_space":true,"use_regex":true}""", decoder: """{"type":"ByteLevel"}""");
        Assert.Equal("Ġ|a|Ġ|b", TokenizerFiles.Tokens(tokenizer, "a b"));
        Assert.Equal("Ġ|a", TokenizerFiles.Tokens(tokenizer, " a"));
    }

    [Fact]
    public void APossessiveQuantifierGivesNothingBack()
    {
        // Greedy \p{L}+b would leave the last b to the literal; possessive, the pattern never matches.
        Assert.Equal("aab", TokenizerFiles.Tokens(Pieces(["aab", "c"], Regex(@"\p{L}+b")), "aab"));
        Assert.Equal("aab|c", TokenizerFiles.Tokens(Pieces(["aab", "c", "aabc"], Regex(@"\p{L}+b")), "aabc"));
        Assert.Equal("aabc", TokenizerFiles.Tokens(Pieces(["aab", "c", "aabc"], Regex(@"\p{L}++b")), "aabc"));
        Assert.Equal("aabc", TokenizerFiles.Tokens(Pieces(["aab", "c", "aabc"], Regex(@"(?>\p{L}+)b")), "aabc"));
    }

    [Theory]
    [InlineData(@"\w+", "a\u0301_٣‿b", "a\u0301_٣‿b")] // letters, marks, digits, connectors
    [InlineData(@"[^\w]", "é‿", "é‿")]
    [InlineData(@"[\x{61}-\u0063]{2,3}", "abcab", "abc|ab")]
    [InlineData(@"^a|b$", "ab\nab", "a|b|\n|a|b")] // Oniguruma's anchors are those of lines
    [InlineData(@"(?i:ab)", "aBc", "aB|c")]
    [InlineData(@"'(?i:[sdmt]|ll)", "'S'll", "'S|'ll")]
    [InlineData(@"a{,2}b", "aab", "aab")]
    [InlineData(@"a{x", "a{x", "a{x")]
    [InlineData(@"\p{^L}", "a1", "a|1")]
    [InlineData(@"\P{L}", "a1", "a|1")]
    public void ReadsOnigurumasSyntax(string pattern, string text, string pieces) =>
        Assert.Equal(pieces, TokenizerFiles.Tokens(Pieces([.. pieces.Split('|').Distinct()], Regex(pattern)), text));

    [Fact]
    public void AddedTokensOfSingleWordsNeedABoundary()
    {
        Tokenizer tokenizer = TokenizerFiles.Characters(Letters, addedTokens: """[{"id":90,"content":"cat","single_word":true,"special":true}]""");
        Assert.Equal("cat", TokenizerFiles.Tokens(tokenizer, "cat"));
        Assert.Equal("a| |cat|.", TokenizerFiles.Tokens(tokenizer, "a cat."));
        Assert.Equal("c|a|t|s", TokenizerFiles.Tokens(tokenizer, "cats"));
        Assert.Equal("a|c|a|t", TokenizerFiles.Tokens(tokenizer, "acat"));
    }

    [Fact]
    public void AddedTokensTakeWhiteSpaceAlong()
    {
        Tokenizer tokenizer = TokenizerFiles.Characters(Letters, addedTokens: """[{"id":90,"content":"<l>","lstrip":true,"special":true},{"id":91,"content":"<r>","rstrip":true,"special":true}]""");
        Assert.Equal("a|<l>| |b", TokenizerFiles.Tokens(tokenizer, "a \n\u3000<l> b"));
        Assert.Equal("a| |<r>|b", TokenizerFiles.Tokens(tokenizer, "a <r> \n\u3000b"));
        Assert.Equal("<r>|<l>", TokenizerFiles.Tokens(tokenizer, "<r>  <l>"));
    }

    [Fact]
    public void TheLongestAddedTokenWins()
    {
        Tokenizer tokenizer = TokenizerFiles.Characters(Letters, addedTokens: """[{"id":90,"content":"ab"},{"id":91,"content":"abcd"},{"id":92,"content":"bcdef"}]""");
        Assert.Equal("abcd|e|f", TokenizerFiles.Tokens(tokenizer, "abcdef"));
        Assert.Equal("ab|c|e", TokenizerFiles.Tokens(tokenizer, "abce"));
    }

    [Fact]
    public void NormalizesAsAsked()
    {
        Assert.Equal("i\u0307σσ𐐨", Normalized("""{"type":"Lowercase"}""", "İΣΣ𐐀")); // no final sigma: scalars are lowered one by one
        Assert.Equal("a b", Normalized("""{"type":"Strip","strip_left":true,"strip_right":true}""", "\u3000 a b \u0085"));
        Assert.Equal("a b ", Normalized("""{"type":"Strip","strip_left":true,"strip_right":false}""", " a b "));
        Assert.Equal("x y z", Normalized("""{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "}""", "x \t y\n\nz"));
        Assert.Equal("axb", Normalized("""{"type":"Replace","pattern":{"String":"."},"content":"x"}""", "a.b"));
        Assert.Equal("fi 1", Normalized("""{"type":"NFKC"}""", "ﬁ ①"));
        Assert.Equal("e\u0301", Normalized("""{"type":"NFD"}""", "é"));
        Assert.Equal("ka\u0308", Normalized("""{"type":"Sequence","normalizers":[{"type":"NFKD"},{"type":"Lowercase"}]}""", "\u212Aä"));
        Assert.Equal("", Normalized("""{"type":"Sequence","normalizers":[{"type":"Strip"},{"type":"Prepend","prepend":"▁"}]}""", "  "));
    }

    [Fact]
    public void CharactersOutsideTheVocabularyBecomeUnknownOrNothing()
    {
        const string Unknown = "\"unk_token\":\"?\",";
        Assert.Equal("?|?|a|?", TokenizerFiles.Tokens(TokenizerFiles.Characters("a?", model: Unknown), "é日a😀"));
        Assert.Equal("?|a|?", TokenizerFiles.Tokens(TokenizerFiles.Characters("a?", model: Unknown + "\"fuse_unk\":true,"), "é日a😀"));
        Assert.Equal("a", TokenizerFiles.Tokens(TokenizerFiles.Characters("a"), "é日a😀"));
    }

    [Fact]
    public void LoneSurrogatesAreReplacementCharacters()
    {
        Tokenizer tokenizer = TokenizerFiles.Open("qwen2");
        Assert.Equal(tokenizer.Encode("a\uFFFDb\uFFFD"), tokenizer.Encode("a\uD800b\uDC00"));
    }

    [Theory]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}""", "a b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"never"}""", " a b")]
    [InlineData("null", "▁ a ▁ b")]
    [InlineData("""{"type":"Fuse"}""", "▁a▁b")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"String":"▁"},"content":"--"}]}""", "--a--b")]
    [InlineData("""{"type":"Strip","content":"▁","start":1,"stop":0}""", "ab")]
    public void DecodesByEveryDecoder(string decoder, string expected)
    {
        Tokenizer tokenizer = TokenizerFiles.Characters("ab▁", decoder: decoder);
        Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode("▁a▁b")));
    }

    [Fact]
    public void StripsTheEndsOfAStreamedText()
    {
        Tokenizer tokenizer = TokenizerFiles.Characters("ab ", decoder: """{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":" ","start":2,"stop":2}]}""");
        Assert.Equal(" a  b  ", tokenizer.Decode(tokenizer.Encode("   a  b    ")));
        TextStream stream = tokenizer.CreateTextStream();
        string[] given = [.. tokenizer.Encode("   a   b").Select(id => stream.Append(id).ToString()), stream.Flush().ToString()];
        Assert.Equal(["", "", "", " a", "", "", " ", "  b", ""], given);
        Assert.Equal("a", stream.Append(0).ToString()); // ready for another text
    }

    [Fact]
    public void AStreamGivesWholeCharactersOnly()
    {
        Tokenizer llama = TokenizerFiles.Open("llama-prepend");
        int[] bytes = [.. "😀"u8.ToArray().Select(b => llama.TryGetId($"<0x{b:X2}>", out int id) ? id : -1)];
        TextStream stream = llama.CreateTextStream();
        Assert.Equal(["", "", "", "😀"], bytes.Select(id => stream.Append(id).ToString()));
        Assert.Equal("", stream.Flush().ToString());
        Assert.Equal("", stream.Append(bytes[0]).ToString());
        Assert.Equal("\uFFFD", stream.Flush().ToString());
    }

    [Fact]
    public void IdsWithoutATokenAddNothingAndNegativeOnesAreRefused()
    {
        Tokenizer tokenizer = TokenizerFiles.Open("qwen2");
        int[] ids = tokenizer.Encode("a b");
        Assert.Equal("a b", tokenizer.Decode([ids[0], tokenizer.VocabularySize, int.MaxValue, .. ids[1..]]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([-1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.CreateTextStream().Append(-1).ToString());
    }

    [Fact]
    public void LooksTokensUp()
    {
        Tokenizer tokenizer = TokenizerFiles.Open("llama-prepend");
        Assert.True(tokenizer.TryGetId("</s>", out int end));
        Assert.Equal(2, end);
        Assert.True(tokenizer.IsSpecial(end));
        Assert.True(tokenizer.TryGetId("<image>", out int image));
        Assert.Equal("<image>", tokenizer.TokenText(image));
        Assert.True(tokenizer.TryGetId("<tool>", out int tool));
        Assert.False(tokenizer.IsSpecial(tool));
        Assert.False(tokenizer.TryGetId("<nothing>", out _));
        Assert.Null(tokenizer.TokenText(tokenizer.VocabularySize));
        Assert.NotNull(tokenizer.TokenText(tokenizer.VocabularySize - 1));
    }

    [Theory]
    [InlineData("llama-prepend")]
    [InlineData("qwen2")]
    [InlineData("gpt2-digits")]
    public void LongTextsWithoutSpacesTakeNoQuadraticTime(string name)
    {
        Tokenizer tokenizer = TokenizerFiles.Open(name);
        foreach (string unit in (string[])["a", "the", "日本", "😀", " ", "\n", "1", "!", "a\u0301"])
        {
            string text = string.Concat(Enumerable.Repeat(unit, 100_000 / unit.Length));
            long start = Stopwatch.GetTimestamp();
            int[] ids = tokenizer.Encode(text);
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(8), $"\"{unit}\" took {Stopwatch.GetElapsedTime(start)}");
            Assert.Equal(name == "qwen2" ? UnicodeNormalizer.Normalize(text, System.Text.NormalizationForm.FormC) : text, tokenizer.Decode(ids));
        }
    }

    [Fact]
    public async Task OneTokenizerServesManyThreads()
    {
        Tokenizer tokenizer = TokenizerFiles.Open("qwen2");
        string[] texts = [.. TokenizerFiles.Golden("texts").EnumerateArray().Take(400).Select(text => text.GetString()!)];
        int[][] expected = [.. texts.Select(text => tokenizer.Encode(text))];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < texts.Length; i++)
            {
                Assert.Equal(expected[i], tokenizer.Encode(texts[i]));
            }
        })));
    }

    [Theory]
    [InlineData("llama-prepend")]
    [InlineData("qwen2")]
    public void AStreamAllocatesNothing(string name)
    {
        Tokenizer tokenizer = TokenizerFiles.Open(name);
        int[] ids = tokenizer.Encode("Съешь же ещё 😀👨‍👩‍👧‍👦 these <image> mild  French rolls.");
        TextStream stream = tokenizer.CreateTextStream();
        Run();
        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        int length = Run();
        long after = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(length > 40);
        Assert.Equal(0, after - before);

        int Run()
        {
            int characters = 0;
            foreach (int id in ids)
            {
                characters += stream.Append(id).Length;
            }

            return characters + stream.Flush().Length;
        }
    }

    private static string Regex(string pattern) => $$$"""{"type":"Split","pattern":{"Regex":{{{JsonValue.Create(pattern).ToJsonString()}}}},"behavior":"Isolated"}""";

    private static Tokenizer Split(string pattern, string behavior, bool invert) =>
        TokenizerFiles.Characters(Letters, preTokenizer: $$"""{"type":"Split","pattern":{{pattern}},"behavior":"{{behavior}}","invert":{{(invert ? "true" : "false")}}}""");

    /// <summary>A model that makes one token of each of these pieces.</summary>
    private static Tokenizer Pieces(string[] pieces, string preTokenizer)
    {
        var vocabulary = new JsonObject();
        foreach (string piece in pieces)
        {
            vocabulary[piece] = vocabulary.Count;
        }

        return TokenizerFiles.Parse($$"""{"normalizer":null,"pre_tokenizer":{{preTokenizer}},"post_processor":null,"decoder":null,"model":{"type":"BPE","ignore_merges":true,"vocab":{{vocabulary.ToJsonString()}},"merges":[]} }""");
    }

    /// <summary>What the normaliser makes of a text, read off a vocabulary of all its characters.</summary>
    private static string Normalized(string normalizer, string text)
    {
        Tokenizer tokenizer = TokenizerFiles.Change("gpt2-digits", root =>
        {
            root["normalizer"] = JsonNode.Parse(normalizer);
            root["pre_tokenizer"] = JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}""");
        });
        return tokenizer.Decode(tokenizer.Encode(text));
    }
}

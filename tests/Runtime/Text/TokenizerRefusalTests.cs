using System.Text;
using System.Text.Json.Nodes;
using Espalier.Text;

namespace Espalier.Tests.Text;

/// <summary>Files that are malformed, hostile, or ask for what is not implemented: each has its typed error that names the place.</summary>
public class TokenizerRefusalTests
{
    private const string Good = """{"added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}""";

    [Theory]
    [InlineData("", TokenizerError.NotJson, "$")]
    [InlineData("{", TokenizerError.NotJson, "$")]
    [InlineData("{} {}", TokenizerError.NotJson, "$")]
    [InlineData("[]", TokenizerError.InvalidField, "$")]
    [InlineData("{}", TokenizerError.MissingField, "$")]
    [InlineData("""{"model":null}""", TokenizerError.InvalidField, "$.model")]
    [InlineData("""{"model":{"type":"Unigram"}}""", TokenizerError.Unsupported, "$.model")]
    [InlineData("""{"model":{"type":"BPE"}}""", TokenizerError.MissingField, "$.model")]
    public void RefusesWhatIsNoTokenizer(string json, TokenizerError error, string path) => Refuses(json, error, path);

    [Theory]
    [InlineData("model.vocab", "[]", TokenizerError.InvalidField, "$.model.vocab")]
    [InlineData("model.vocab", """{"a":-1}""", TokenizerError.InvalidField, "$.model.vocab[\"a\"]")]
    [InlineData("model.vocab", """{"a":1.5}""", TokenizerError.InvalidField, "$.model.vocab[\"a\"]")]
    [InlineData("model.vocab", """{"a":"0"}""", TokenizerError.InvalidField, "$.model.vocab[\"a\"]")]
    [InlineData("model.vocab", """{"a":2147483647}""", TokenizerError.InvalidField, "$.model.vocab[\"a\"]")]
    [InlineData("model.vocab", """{"a":99999999999999999999}""", TokenizerError.InvalidField, "$.model.vocab[\"a\"]")]
    [InlineData("model.vocab", """{"":0}""", TokenizerError.InvalidField, "$.model.vocab[\"\"]")]
    [InlineData("model.vocab", """{"a":0,"b":0}""", TokenizerError.DuplicateToken, "$.model.vocab[\"b\"]")]
    [InlineData("model.merges", "{}", TokenizerError.InvalidField, "$.model.merges")]
    [InlineData("model.merges", """["a"]""", TokenizerError.InvalidMerge, "$.model.merges[0]")]
    [InlineData("model.merges", """["a b","a b c"]""", TokenizerError.InvalidMerge, "$.model.merges[1]")]
    [InlineData("model.merges", """["a "]""", TokenizerError.InvalidMerge, "$.model.merges[0]")]
    [InlineData("model.merges", """[["a"]]""", TokenizerError.InvalidMerge, "$.model.merges[0]")]
    [InlineData("model.merges", """[["a",1]]""", TokenizerError.InvalidField, "$.model.merges[0][1]")]
    [InlineData("model.merges", """[7]""", TokenizerError.InvalidMerge, "$.model.merges[0]")]
    [InlineData("model.merges", """["b a"]""", TokenizerError.InvalidMerge, "$.model.merges[0]")]
    [InlineData("model.merges", """["a c"]""", TokenizerError.InvalidMerge, "$.model.merges[0]")]
    [InlineData("model.unk_token", "\"<unk>\"", TokenizerError.UnknownToken, "$.model.unk_token")]
    [InlineData("model.dropout", "0.1", TokenizerError.Unsupported, "$.model.dropout")]
    [InlineData("model.continuing_subword_prefix", "\"##\"", TokenizerError.Unsupported, "$.model.continuing_subword_prefix")]
    [InlineData("model.byte_fallback", "1", TokenizerError.InvalidField, "$.model.byte_fallback")]
    [InlineData("normalizer", """{"type":"Nmt"}""", TokenizerError.Unsupported, "$.normalizer")]
    [InlineData("normalizer", """{"type":1}""", TokenizerError.InvalidField, "$.normalizer.type")]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Precompiled"}]}""", TokenizerError.Unsupported, "$.normalizer.normalizers[1]")]
    [InlineData("normalizer", """{"type":"Replace","pattern":"x","content":"y"}""", TokenizerError.InvalidField, "$.normalizer.pattern")]
    [InlineData("normalizer", """{"type":"Prepend"}""", TokenizerError.MissingField, "$.normalizer")]
    [InlineData("pre_tokenizer", """{"type":"BertPreTokenizer"}""", TokenizerError.Unsupported, "$.pre_tokenizer")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","prepend_scheme":"often"}""", TokenizerError.Unsupported, "$.pre_tokenizer.prepend_scheme")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","replacement":"__"}""", TokenizerError.InvalidField, "$.pre_tokenizer.replacement")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","str_rep":"_"}""", TokenizerError.Unsupported, "$.pre_tokenizer.str_rep")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"String":"x"},"behavior":"Sideways"}""", TokenizerError.Unsupported, "$.pre_tokenizer.behavior")]
    [InlineData("post_processor", """{"type":"BertProcessing"}""", TokenizerError.Unsupported, "$.post_processor")]
    [InlineData("post_processor", """{"type":"TemplateProcessing","single":[]}""", TokenizerError.MissingField, "$.post_processor.single")]
    [InlineData("post_processor", """{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}]}""", TokenizerError.Unsupported, "$.post_processor.single[0].Sequence")]
    [InlineData("post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{}}""", TokenizerError.MissingField, "$.post_processor.special_tokens")]
    [InlineData("post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{"x":{"ids":[77]}}}""", TokenizerError.UnknownToken, "$.post_processor.special_tokens.x.ids[0]")]
    [InlineData("decoder", """{"type":"WordPiece"}""", TokenizerError.Unsupported, "$.decoder")]
    [InlineData("decoder", """{"type":"Strip","content":" ","start":-1}""", TokenizerError.InvalidField, "$.decoder.start")]
    [InlineData("decoder", """{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteFallback"}]}""", TokenizerError.Unsupported, "$.decoder.decoders[1]")]
    [InlineData("decoder", """{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Strip","content":" "}]}""", TokenizerError.Unsupported, "$.decoder.decoders[1]")]
    [InlineData("decoder", """{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"String":"xy"},"content":""}]}""", TokenizerError.Unsupported, "$.decoder.decoders[1].pattern")]
    [InlineData("decoder", """{"type":"Replace","pattern":{"Regex":"x"},"content":""}""", TokenizerError.Unsupported, "$.decoder.pattern")]
    [InlineData("added_tokens", "{}", TokenizerError.InvalidField, "$.added_tokens")]
    [InlineData("added_tokens", """[{"id":3}]""", TokenizerError.MissingField, "$.added_tokens[0]")]
    [InlineData("added_tokens", """[{"id":3,"content":""}]""", TokenizerError.InvalidField, "$.added_tokens[0].content")]
    [InlineData("added_tokens", """[{"id":0,"content":"x"}]""", TokenizerError.DuplicateToken, "$.added_tokens[0]")]
    [InlineData("added_tokens", """[{"id":3,"content":"a"}]""", TokenizerError.DuplicateToken, "$.added_tokens[0]")]
    [InlineData("added_tokens", """[{"id":3,"content":"x"},{"id":3,"content":"y"}]""", TokenizerError.DuplicateToken, "$.added_tokens[1]")]
    [InlineData("added_tokens", """[{"id":3,"content":"x"},{"id":4,"content":"x"}]""", TokenizerError.DuplicateToken, "$.added_tokens[1]")]
    [InlineData("added_tokens", """[{"id":3000000,"content":"x"}]""", TokenizerError.InvalidField, "$.added_tokens[0].id")]
    public void RefusesABadPart(string part, string value, TokenizerError error, string path)
    {
        JsonNode root = JsonNode.Parse(Good)!;
        string[] names = part.Split('.');
        (names.Length == 1 ? root : root[names[0]]!)[names[^1]] = JsonNode.Parse(value);
        Refuses(root.ToJsonString(), error, path);
    }

    [Theory]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("[]")]
    [InlineData("[z-a]")]
    [InlineData("*a")]
    [InlineData("a**")]
    [InlineData("a{3,1}")]
    [InlineData("a{99999}")]
    [InlineData(@"\p{Han}")]
    [InlineData(@"\p")]
    [InlineData(@"(a)\1")]
    [InlineData(@"\bword")]
    [InlineData(@"(?P<n>a)")]
    [InlineData("(?i)a")]
    [InlineData("(?i:é)")]
    [InlineData("[[:alpha:]]")]
    [InlineData("[a&&b]")]
    [InlineData("😀")]
    [InlineData(@"\x{1F600}")]
    [InlineData(@"\x{zz}")]
    [InlineData(@"\u12")]
    [InlineData("a\\")]
    [InlineData("")]
    public void RefusesAPatternThatItWouldMisread(string pattern)
    {
        JsonNode root = JsonNode.Parse(Good)!;
        root["pre_tokenizer"] = new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated" };
        Refuses(root.ToJsonString(), TokenizerError.InvalidPattern, "$.pre_tokenizer.pattern.Regex");
    }

    [Fact]
    public void RefusesGroupsNestedWithoutEnd() => RefusesAPatternThatItWouldMisread(new string('(', 2000) + new string(')', 2000));

    [Fact]
    public void RefusesStringsThatAreNoUnicode()
    {
        Refuses(Good.Replace("\"ab\":2", "\"\\ud800\":2"), TokenizerError.InvalidField, "$.model.vocab");
        Refuses(Good.Replace("[\"a b\"]", "[\"a \\ud800\"]"), TokenizerError.InvalidField, "$.model.merges[0]");
    }

    [Fact]
    public void RefusesDeepNesting()
    {
        string normalizer = "null";
        for (int i = 0; i < 40; i++)
        {
            normalizer = $$"""{"type":"Sequence","normalizers":[{{normalizer}}]}""";
        }

        Refuses(Good.Replace("\"normalizer\":null", $"\"normalizer\":{normalizer}"), TokenizerError.NotJson, "$");
    }

    [Fact]
    public void RefusesWhatIsTooLargeBeforeTakingMemory()
    {
        string tokens = string.Join(',', Enumerable.Range(0, (1 << 16) + 1).Select(i => $$"""{"id":{{i + 3}},"content":"<{{i}}>"}"""));
        Refuses(Good.Replace("\"added_tokens\":[]", $"\"added_tokens\":[{tokens}]"), TokenizerError.TooLarge, "$.added_tokens");

        string path = Path.GetTempFileName();
        try
        {
            using (FileStream file = File.OpenWrite(path))
            {
                file.SetLength(1L << 31); // a hole: no disk is taken
            }

            TokenizerException exception = Assert.Throws<TokenizerException>(() => Tokenizer.Open(path));
            Assert.Equal((TokenizerError.TooLarge, path, "$"), (exception.Error, exception.File, exception.Path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void RefusesAFileThatIsNotThere()
    {
        string path = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"), "tokenizer.json");
        TokenizerException exception = Assert.Throws<TokenizerException>(() => Tokenizer.Open(path));
        Assert.Equal((TokenizerError.Unreadable, path), (exception.Error, exception.File));
        Assert.Equal(TokenizerError.Unreadable, Assert.Throws<TokenizerException>(() => Tokenizer.Open(Path.GetTempPath())).Error);
    }

    [Fact]
    public void RefusesATextThatIsTooLong()
    {
        Tokenizer tokenizer = TokenizerFiles.Parse(Good);
        Assert.Equal(TokenizerError.TooLarge, Assert.Throws<TokenizerException>(() => tokenizer.Encode(new string('a', Tokenizer.MaximumTextLength + 1))).Error);
    }

    [Fact]
    public void StopsAPatternThatTakesForever()
    {
        JsonNode root = JsonNode.Parse(Good)!;
        root["pre_tokenizer"] = JsonNode.Parse("""{"type":"Split","pattern":{"Regex":"(?:\\p{L}|\\p{L}\\p{L})+\\d"},"behavior":"Isolated"}""");
        Tokenizer tokenizer = TokenizerFiles.Parse(root.ToJsonString());
        Assert.Equal([2], tokenizer.Encode("ab"));
        TokenizerException exception = Assert.Throws<TokenizerException>(() => tokenizer.Encode(new string('a', 60)));
        Assert.Equal((TokenizerError.PatternTimeout, "$.pre_tokenizer.pattern.Regex"), (exception.Error, exception.Path));
    }

    [Fact]
    public void DamagedFilesAreRefusedOrRead()
    {
        // A byte changed, removed or doubled anywhere: nothing but the typed error may come out.
        byte[] good = Encoding.UTF8.GetBytes("""{"added_tokens":[{"id":3,"content":"<x>","special":true}],"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"Regex":"\\s+|[a-c]"},"content":"▁"}]},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<x>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<x>":{"ids":[3]}}},"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1}]},"model":{"type":"BPE","byte_fallback":true,"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}""");
        var random = new Random(7);
        int refused = 0;
        for (int round = 0; round < 3000; round++)
        {
            List<byte> bytes = [.. good];
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    bytes.Insert(at, bytes[random.Next(bytes.Count)]);
                    break;
                default:
                    bytes.RemoveRange(at, Math.Min(random.Next(40), bytes.Count - at));
                    break;
            }

            try
            {
                Tokenizer tokenizer = Tokenizer.Parse(bytes.ToArray(), "damaged.json");
                tokenizer.Decode(tokenizer.Encode("ab <x> é😀"));
            }
            catch (TokenizerException exception)
            {
                refused++;
                Assert.StartsWith("damaged.json: $", exception.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(refused, 1500, 2990);
    }

    private static void Refuses(string json, TokenizerError error, string path)
    {
        TokenizerException exception = Assert.Throws<TokenizerException>(() => TokenizerFiles.Parse(json));
        Assert.Equal((error, path), (exception.Error, exception.Path));
        Assert.StartsWith($"tokenizer.json: {path}: ", exception.Message, StringComparison.Ordinal);
        Assert.IsAssignableFrom<EspalierException>(exception);
    }
}

using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Espalier.Text;

namespace Espalier.Tests.Text;

/// <summary>The tokenizers and goldens of tests/reference/tokenizer, and variations of them.</summary>
internal static class TokenizerFiles
{
    public static readonly string[] Names = ["llama-prepend", "llama-metaspace", "qwen2", "gpt2-digits", "llama3"];

    /// <summary>The folder tests/reference.</summary>
    public static readonly string Reference = RepositoryFolder.Combine("tests", "reference");

    private static readonly string Folder = Path.Combine(Reference, "tokenizer");

    public static Tokenizer Open(string name) => Tokenizer.Open(Path.Combine(Folder, name + ".tokenizer.json"));

    /// <summary>Reads a tokenizer, changes its JSON, and parses the result.</summary>
    public static Tokenizer Change(string name, Action<JsonNode> change)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Folder, name + ".tokenizer.json")))!;
        change(root);
        return Parse(root.ToJsonString());
    }

    public static Tokenizer Parse(string json) => Tokenizer.Parse(System.Text.Encoding.UTF8.GetBytes(json), "tokenizer.json");

    /// <summary>A byte-pair model over single characters, with the other components as given.</summary>
    public static Tokenizer Characters(string characters, string normalizer = "null", string preTokenizer = "null", string decoder = "null", string addedTokens = "[]", string model = "")
    {
        var vocabulary = new JsonObject();
        foreach (char c in characters)
        {
            vocabulary[c.ToString()] = vocabulary.Count;
        }

        return Parse($$"""{"added_tokens":{{addedTokens}},"normalizer":{{normalizer}},"pre_tokenizer":{{preTokenizer}},"post_processor":null,"decoder":{{decoder}},"model":{"type":"BPE",{{model}}"vocab":{{vocabulary.ToJsonString()}},"merges":[]} }""");
    }

    /// <summary>Encodes, and writes the tokens with a bar between.</summary>
    public static string Tokens(Tokenizer tokenizer, string text) => string.Join('|', tokenizer.Encode(text).Select(tokenizer.TokenText));

    public static JsonElement Golden(string name)
    {
        using var stream = new GZipStream(File.OpenRead(Path.Combine(Folder, "goldens", name + ".json.gz")), CompressionMode.Decompress);
        using JsonDocument document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }

    public static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];
}

using System.Text.Json;
using Espalier.Text;

namespace Espalier.Tests.Text;

/// <summary>Every text that @huggingface/tokenizers was asked about, with every tokenizer: ids, decoded text, decoded text piece by piece.</summary>
public class TokenizerGoldenTests
{
    public static TheoryData<string> Names => new(TokenizerFiles.Names);

    [Theory]
    [MemberData(nameof(Names))]
    public void EncodesAndDecodesAsTheReferenceDoes(string name)
    {
        Tokenizer tokenizer = TokenizerFiles.Open(name);
        JsonElement[] texts = [.. TokenizerFiles.Golden("texts").EnumerateArray()];
        JsonElement golden = TokenizerFiles.Golden(name);
        JsonElement[] results = [.. golden.GetProperty("results").EnumerateArray()];
        Assert.Equal(texts.Length, results.Length);

        var failures = new List<string>();
        int compared = 0;
        for (int i = 0; i < texts.Length; i++)
        {
            if (results[i].ValueKind == JsonValueKind.Null)
            {
                continue;
            }

            compared++;
            string text = texts[i].GetString()!;
            int added = results[i][0].GetInt32();
            int[] ids = TokenizerFiles.Ids(results[i][1]);
            Compare(failures, text, "ids", ids, tokenizer.Encode(text));
            Compare(failures, text, "bare ids", ids[added..], tokenizer.Encode(text, addSpecialTokens: false));
            CompareText(failures, tokenizer, ids, false, Expected(results[i][2], text));
            CompareText(failures, tokenizer, ids, true, Expected(results[i][3], text));
        }

        foreach (JsonElement loose in golden.GetProperty("loose").EnumerateArray())
        {
            int[] ids = TokenizerFiles.Ids(loose[0]);
            CompareText(failures, tokenizer, ids, false, loose[1].GetString()!);
            CompareText(failures, tokenizer, ids, true, loose[2].GetString()!);
        }

        Assert.True(failures.Count == 0, $"{failures.Count} differences; the first:\n{string.Join('\n', failures.Take(12))}");
        Assert.True(compared >= 2450, $"only {compared} texts were compared");
        Assert.Equal(texts.Length - golden.GetProperty("leftOut").GetInt32(), compared);
    }

    /// <summary>A second, independent reference: the Python of tests/reference/tokenization.py, on the tokenizers of its checkpoints.</summary>
    [Theory]
    [InlineData("clip-llama")]
    [InlineData("clip-llama-f16")]
    [InlineData("siglip-qwen2")]
    public void AgreesWithThePythonReference(string checkpoint)
    {
        Tokenizer tokenizer = Tokenizer.Open(Path.Combine(TokenizerFiles.Reference, "checkpoints", checkpoint, "tokenizer.json"));
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TokenizerFiles.Reference, "goldens", "tokenizer", checkpoint + ".json")));
        var failures = new List<string>();
        int compared = 0;
        foreach (JsonElement item in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            int[] ids = TokenizerFiles.Ids(item.GetProperty("ids"));
            string text = item.GetProperty("text").GetString()!;
            Compare(failures, text, "ids", ids, tokenizer.Encode(text));
            CompareText(failures, tokenizer, ids, true, item.GetProperty("decoded").GetString()!);
            compared++;
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.True(compared >= 10);
    }

    private static string Expected(JsonElement golden, string text) => golden.ValueKind == JsonValueKind.Number ? text : golden.GetString()!;

    private static void Compare(List<string> failures, string text, string what, int[] expected, int[] actual)
    {
        if (!expected.AsSpan().SequenceEqual(actual))
        {
            failures.Add($"{JsonSerializer.Serialize(text)} {what}: expected [{string.Join(',', expected)}], got [{string.Join(',', actual)}]");
        }
    }

    private static void CompareText(List<string> failures, Tokenizer tokenizer, int[] ids, bool skip, string expected)
    {
        string whole = tokenizer.Decode(ids, skip);
        TextStream stream = tokenizer.CreateTextStream(skip);
        string streamed = "";
        foreach (int id in ids)
        {
            string part = stream.Append(id).ToString();
            if (part.Length > 0 && (char.IsHighSurrogate(part[^1]) || char.IsLowSurrogate(part[0])))
            {
                failures.Add($"[{string.Join(',', ids)}]: the stream cut a pair of surrogates");
            }

            streamed += part;
        }

        streamed += stream.Flush().ToString();
        if (whole != expected || streamed != expected)
        {
            failures.Add($"[{string.Join(',', ids)}] skip {skip}: expected {JsonSerializer.Serialize(expected)}, got {JsonSerializer.Serialize(whole)}, streamed {JsonSerializer.Serialize(streamed)}");
        }
    }
}

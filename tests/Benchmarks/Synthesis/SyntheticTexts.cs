using System.Text.Json;
using System.Text.Json.Nodes;
using Espalier.Planning;
using Espalier.Text;

namespace Espalier.Benchmarks.Synthesis;

/// <summary>The small files of a synthetic folder: a byte-level tokenizer without merges, and the preprocessing of the tower's family.</summary>
internal static class SyntheticTexts
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Every file but the weights, by name.</summary>
    /// <param name="config">The text of <c>config.json</c>; kept but for the type of the weights.</param>
    /// <param name="geometry">The shapes that it declares.</param>
    /// <param name="type">The type of the weights.</param>
    /// <exception cref="BenchmarkException">The vocabulary is too small for all bytes.</exception>
    public static IEnumerable<(string Name, string Text)> Of(string config, ModelGeometry geometry, TensorType type)
    {
        // Beginning (or padding) and end of sequence; the rest are the marks of ChatML.
        string[] special = geometry.Text.Family == TextFamily.Llama ? ["<s>", "</s>"] : ["<|endoftext|>", "<|im_end|>", "<|im_start|>"];
        int[] ids = [.. Enumerable.Range(0, geometry.Text.Vocabulary).Where(id => id != geometry.ImageTokenId).Take(special.Length + 256)];
        if (ids.Length < special.Length + 256)
        {
            throw new BenchmarkException($"text_config.vocab_size is {geometry.Text.Vocabulary}; a tokenizer of all bytes needs at least {special.Length + 257}.");
        }

        JsonNode root = JsonNode.Parse(config, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip })!;
        root["torch_dtype"] = type switch { TensorType.F16 => "float16", TensorType.BF16 => "bfloat16", _ => "float32" };
        yield return ("config.json", Text(root));
        yield return ("generation_config.json", Text(new JsonObject { ["bos_token_id"] = ids[0], ["eos_token_id"] = ids[1], ["do_sample"] = false }));
        yield return ("preprocessor_config.json", Text(Preprocessor(geometry.Vision)));
        yield return ("tokenizer.json", Text(Tokenizer(special, ids, geometry.ImageTokenId)));
        yield return ("tokenizer_config.json", Text(new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["bos_token"] = special[0],
            ["eos_token"] = special[1],
            ["image_token"] = "<image>",
            ["model_max_length"] = geometry.Text.MaxPositions,
        }));
    }

    private static string Text(JsonNode node) => node.ToJsonString(Indented) + "\n";

    private static JsonObject Preprocessor(VisionGeometry vision)
    {
        var square = new JsonObject { ["height"] = vision.ImageSize, ["width"] = vision.ImageSize };
        return vision.Family == VisionFamily.Siglip
            ? new JsonObject
            {
                ["image_processor_type"] = "SiglipImageProcessor",
                ["size"] = square,
                ["resample"] = 3,
                ["image_mean"] = new JsonArray(0.5, 0.5, 0.5),
                ["image_std"] = new JsonArray(0.5, 0.5, 0.5),
            }
            : new JsonObject
            {
                ["image_processor_type"] = "CLIPImageProcessor",
                ["size"] = new JsonObject { ["shortest_edge"] = vision.ImageSize },
                ["do_center_crop"] = true,
                ["crop_size"] = square,
                ["resample"] = 3,
                ["image_mean"] = new JsonArray(0.48145466, 0.4578275, 0.40821073),
                ["image_std"] = new JsonArray(0.26862954, 0.26130258, 0.27577711),
            };
    }

    private static JsonObject Tokenizer(string[] special, int[] ids, int imageToken)
    {
        var added = new JsonArray();
        var vocabulary = new JsonObject();
        for (int i = 0; i < special.Length; i++)
        {
            added.Add(AddedToken(special[i], ids[i]));
        }

        added.Add(AddedToken("<image>", imageToken));
        for (char c = '\0'; c < '\u0200'; c++)
        {
            if (ByteAlphabet.ByteOf(c) is >= 0 and int b)
            {
                vocabulary[c.ToString()] = ids[special.Length + b];
            }
        }

        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        };
    }

    private static JsonObject AddedToken(string content, int id) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };
}

using System.Text.Json;

namespace Espalier.Tests;

/// <summary>The goldens that the PyTorch reference writes; see tests/reference/README.md.</summary>
internal sealed class Goldens
{
    private readonly JsonElement _inputs;
    private readonly string _folder;

    private Goldens(string model)
    {
        _folder = RepositoryFolder.Combine("tests", "reference", "goldens", "llava", model);
        _inputs = Read("inputs");
    }

    public string CheckpointFolder => RepositoryFolder.Combine(_inputs.GetProperty("checkpoint").GetString()!);

    public static Goldens Of(string model) => new(model);

    public JsonElement Case(string name) => Read(name);

    public (int[] Prefix, int[] Suffix, string Text) Prompt(string name)
    {
        JsonElement prompts = _inputs.GetProperty("prompts");
        JsonElement prompt = default;
        foreach (JsonProperty candidate in prompts.EnumerateObject())
        {
            // Cases of a checkpoint with several prompts are named "<prompt>.<case>".
            if (prompt.ValueKind == JsonValueKind.Undefined || name.StartsWith(candidate.Name + ".", StringComparison.Ordinal))
            {
                prompt = candidate.Value;
            }
        }

        return (Ints(prompt.GetProperty("prefix")), Ints(prompt.GetProperty("suffix")), prompt.GetProperty("text").GetString()!);
    }

    public (byte[] Rgb, int Width, int Height) Image()
    {
        JsonElement image = _inputs.GetProperty("image");
        if (image.GetProperty("kind").GetString() == "file")
        {
            Imaging.DecodedImage decoded = Imaging.ImageDecoder.Load(RepositoryFolder.Combine(image.GetProperty("file").GetString()!));
            return (decoded.Pixels, decoded.Width, decoded.Height);
        }

        int width = image.GetProperty("width").GetInt32();
        int height = image.GetProperty("height").GetInt32();
        uint state = image.GetProperty("seed").GetUInt32();
        var rgb = new byte[width * height * 3];
        for (int i = 0; i < rgb.Length; i++)
        {
            state = (1664525 * state) + 1013904223;
            rgb[i] = (byte)(state >> 24);
        }

        return (rgb, width, height);
    }

    public static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetInt32())];

    public static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetSingle())];

    private JsonElement Read(string name) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder, name + ".json"))).RootElement;
}

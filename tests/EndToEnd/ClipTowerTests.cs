using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Espalier.Tests.Declared;
using Espalier.Text;
using Espalier.Vision;

namespace Espalier.Tests;

/// <summary>CDPruner and Recoverable Compression where the checkpoint has CLIP's text tower: tokens, embeddings, relevance and what stays, against tests/reference/clip_text.py; and every way in which a tower can be incomplete.</summary>
public sealed class ClipTowerTests : IDisposable
{
    private static readonly JsonElement Golden = ClipCopies.Golden;

    private readonly ClipCopies _copies = new();

    public void Dispose() => _copies.Dispose();

    [Fact]
    public void TokensEqualThoseOfAnIndependentTokenizer()
    {
        var tokenizer = Tokenizer.Open(Path.Combine(ClipCopies.TowerFolder, "tokenizer.json"));
        foreach (JsonElement text in Golden.GetProperty("tokenizer").EnumerateArray())
        {
            Assert.Equal(Goldens.Ints(text.GetProperty("ids")), tokenizer.EncodeUntrusted(text.GetProperty("text").GetString()!));
        }

        // RobertaProcessing: a token starts a text and another ends it.
        int[] framed = tokenizer.Encode("a");
        Assert.Equal("<|startoftext|>", tokenizer.TokenText(framed[0]));
        Assert.Equal("<|endoftext|>", tokenizer.TokenText(framed[^1]));
        Assert.Equal(tokenizer.EncodeUntrusted("a"), framed[1..^1]);
    }

    [Theory]
    [MemberData(nameof(ClipCopies.Cases), MemberType = typeof(ClipCopies))]
    public void RelevanceAndWhatStaysEqualTheReference(int index)
    {
        JsonElement golden = Golden.GetProperty("cases")[index];
        string question = golden.GetProperty("question").GetString()!;
        using Checkpoint checkpoint = _copies.Open(inside: "clip");
        SessionCache cache = checkpoint.ShareSessions();
        var sessions = new ModelSessions(cache, ClipLlamaCDPruner.Plan, new ModelOptions());
        float[] relevance = ClipCopies.Relevance(sessions, question);
        AssertClose(Goldens.Floats(golden.GetProperty("relevance")), relevance, 1e-5f);
        cache.Release();
        using var model = ClipLlamaCDPruner.Load(checkpoint);
        using var tiny = new TinyModel();
        using Sequence sequence = model.CreateSequence(tiny.Prefix.Length + model.LoadedPlan.ImagePositions + tiny.Suffix.Length + 60);
        tiny.Pixels.CopyTo(sequence.Image.Pixels);
        Assert.Equal(StepResult.Ready, model.PrefillPixels(sequence, tiny.Prefix, tiny.Suffix, question, default));
        Assert.Equal(Goldens.Ints(golden.GetProperty("kept")), sequence.SurvivorsOf(0).ToArray());
        AssertClose(Goldens.Floats(golden.GetProperty("logits")), sequence.Logits.ToArray(), 1e-4f);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void RecoverableCompressionAsksTheTowerToo(int index)
    {
        JsonElement golden = ClipCopies.Recovered.GetProperty("cases")[index];
        using Checkpoint checkpoint = _copies.Open(inside: "clip");
        using var model = ClipLlamaRecoverable.Load(checkpoint);
        using var tiny = new TinyModel();
        using Sequence sequence = model.CreateSequence(tiny.Prefix.Length + model.LoadedPlan.ImagePositions + tiny.Suffix.Length);

        // Twice: what an image leaves bound must not be what the next one is compared by.
        for (int image = 0; image < 2; image++)
        {
            tiny.Pixels.CopyTo(sequence.Image.Pixels);
            Assert.Equal(StepResult.Ready, model.PrefillPixels(sequence, tiny.Prefix, tiny.Suffix, golden.GetProperty("question").GetString()!, default));
            Assert.Equal(Goldens.Ints(golden.GetProperty("kept")), sequence.SurvivorsOf(0).ToArray());
            AssertClose(Goldens.Floats(golden.GetProperty("logits")), sequence.Logits.ToArray(), 1e-4f);
        }
    }

    [Fact]
    public async Task TheQuestionReachesTheTowerAsItWasAsked()
    {
        using Checkpoint checkpoint = _copies.Open(inside: "clip");
        using var model = ClipLlamaCDPruner.Load(checkpoint);
        using var tiny = new TinyModel();
        using Sequence sequence = model.CreateSequence(300);
        foreach (JsonElement golden in Golden.GetProperty("cases").EnumerateArray())
        {
            string question = golden.GetProperty("question").GetString()!;
            await foreach (string _ in model.AnswerAsync(sequence, tiny.Image, question, new AnswerOptions { MaxNewTokens = 1 }))
            {
            }

            Assert.Equal(Goldens.Ints(golden.GetProperty("kept")), sequence.SurvivorsOf(0).ToArray());
        }

        // Of ids alone the text is what they decode to: other words, but still words.
        Assert.Equal(StepResult.Ready, model.Prefill(sequence, tiny.Prefix, tiny.Pixels, tiny.Suffix));
        Assert.Equal(11, sequence.SurvivorsOf(0).Length);
    }

    [Theory]
    [InlineData("clip", null, null)]
    [InlineData("openclip-tiny", null, "owner/openclip-tiny")]
    [InlineData(null, "openclip-tiny", "owner/openclip-tiny")]
    public void TheTowerIsFoundInTheFolderOrBesideIt(string? inside, string? beside, string? named)
    {
        using Checkpoint checkpoint = _copies.Open(inside, beside, named);
        Assert.NotNull(Tower(checkpoint));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("..")]
    [InlineData("owner/elsewhere")]
    public void WithoutATowerTheSubstituteStays(string? named)
    {
        using Checkpoint checkpoint = _copies.Open(named: named);
        Assert.Null(Tower(checkpoint));
        using var siglip = Checkpoint.Open(Goldens.Of("siglip-qwen2").CheckpointFolder);
        Assert.Null(ClipTower.Find(siglip, LearnedFile.Open));
    }

    [Fact]
    public void TensorsMayLieInTheCheckpoint()
    {
        string folder = _copies.Copy(inside: "clip");
        string own = Path.Combine(folder, "clip", "model.safetensors");
        string model = Path.Combine(folder, "model.safetensors");
        File.WriteAllBytes(model, Joined(File.ReadAllBytes(model), File.ReadAllBytes(own)));
        File.Delete(own);
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        Assert.Null(Tower(checkpoint)!.File);
        using var loaded = ClipLlamaCDPruner.Load(checkpoint);
        using var tiny = new TinyModel();
        using Sequence sequence = loaded.CreateSequence(200);
        JsonElement golden = Golden.GetProperty("cases")[0];
        tiny.Pixels.CopyTo(sequence.Image.Pixels);
        loaded.PrefillPixels(sequence, tiny.Prefix, tiny.Suffix, golden.GetProperty("question").GetString()!, default);
        Assert.Equal(Goldens.Ints(golden.GetProperty("kept")), sequence.SurvivorsOf(0).ToArray());

        Directory.Delete(Path.Combine(folder, "clip"), recursive: true);
        using Checkpoint without = Checkpoint.Open(folder);
        var error = Assert.Throws<CheckpointFileMissingException>(() => ClipLlamaCDPruner.Load(without));
        Assert.Contains("mm_vision_tower", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("clip", error.File, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text_projection.weight", "text_projectiox.weight")]
    [InlineData("text_model.encoder.layers.1.mlp.fc2.bias", "text_model.encoder.layers.7.mlp.fc2.bias")]
    [InlineData("vision_model.post_layernorm.bias", "vision_model.post_layernorm.b1as")]
    public void AMissingTensorIsNamed(string tensor, string inItsPlace)
    {
        string folder = _copies.Copy(inside: "clip");
        Rewrite(folder, "model.safetensors", tensor, inItsPlace);
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        var error = Assert.Throws<MissingTensorException>(() => ClipLlamaCDPruner.Load(checkpoint));
        Assert.Contains(tensor, error.Message, StringComparison.Ordinal);
        Assert.EndsWith(Path.Combine("clip", "model.safetensors"), error.File, StringComparison.Ordinal);
    }

    [Fact]
    public void AProjectionThatDoesNotFitIsNamed()
    {
        string folder = _copies.Copy(inside: "clip");
        Rewrite(folder, "model.safetensors", "[20,32]", "[32,20]");
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        Assert.Contains("visual_projection.weight", Assert.Throws<TensorShapeException>(() => ClipLlamaCDPruner.Load(checkpoint)).Message, StringComparison.Ordinal);

        string other = _copies.Copy(inside: "clip");
        Rewrite(other, "config.json", "\"projection_dim\": 20", "\"projection_dim\": 24");
        using Checkpoint wider = Checkpoint.Open(other);
        Assert.Contains("text_projection.weight", Assert.Throws<TensorShapeException>(() => ClipLlamaCDPruner.Load(wider)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FilesThatAreMissingOrOfAnotherModelAreNamed()
    {
        foreach (string file in (string[])["config.json", "model.safetensors"])
        {
            string folder = _copies.Copy(inside: "clip");
            File.Delete(Path.Combine(folder, "clip", file));
            using Checkpoint checkpoint = Checkpoint.Open(folder);
            Assert.EndsWith(file, Assert.Throws<CheckpointFileMissingException>(() => ClipLlamaCDPruner.Load(checkpoint)).File, StringComparison.Ordinal);
        }

        Fails<UnknownFamilyException>("config.json", "\"model_type\": \"clip\"", "\"model_type\": \"blip\"");
        Fails<InconsistentConfigException>("config.json", "\"num_attention_heads\": 3", "\"num_attention_heads\": 5");
        Fails<MalformedConfigException>("config.json", "{", "[");
        Fails<TokenizerException>("tokenizer.json", "RobertaProcessing", "ByteLevel");
        Fails<TokenizerException>("tokenizer.json", "\"post_processor\"", "\"postprocessor\"");
        Assert.Equal(TokenizerError.UnknownToken, Fails<TokenizerException>("tokenizer.json", "\"sep\": [\n      \"<|endoftext|>\",\n      ", "\"sep\": [\n      \"<|endoftext|>\",\n      9").Error);
        Assert.Equal(TokenizerError.InvalidField, Fails<TokenizerException>("tokenizer.json", "\"!\": 33", "\"!\": 90000").Error);
        Assert.Equal(TokenizerError.Unsupported, Fails<TokenizerException>("tokenizer.json", "\"fuse_unk\": false", "\"byte_fallback\": true").Error);
    }

    private TException Fails<TException>(string file, string what, string by)
        where TException : Exception
    {
        string folder = _copies.Copy(inside: "clip");
        Rewrite(folder, file, what, by);
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        return Assert.Throws<TException>(() => ClipLlamaCDPruner.Load(checkpoint));
    }

    private static ClipTower? Tower(Checkpoint checkpoint)
    {
        var opened = new List<LearnedFile>();
        try
        {
            return ClipTower.Find(checkpoint, path =>
            {
                opened.Add(LearnedFile.Open(path));
                return opened[^1];
            });
        }
        finally
        {
            opened.ForEach(static file => file.Dispose());
        }
    }

    /// <summary>Replaces the first of some characters in a file of the tower, a binary one by as many.</summary>
    private static void Rewrite(string folder, string file, string what, string by)
    {
        string path = Path.Combine(folder, "clip", file);
        string text = Encoding.Latin1.GetString(File.ReadAllBytes(path));
        int at = text.IndexOf(what, StringComparison.Ordinal);
        Assert.True(at >= 0, $"{file} has no {what}.");
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(text[..at] + by + text[(at + what.Length)..]));
    }

    /// <summary>Two safetensors files as one.</summary>
    private static byte[] Joined(byte[] first, byte[] second)
    {
        (JsonObject header, byte[] body) = Parts(first);
        (JsonObject added, byte[] behind) = Parts(second);
        foreach ((string name, JsonNode? tensor) in added)
        {
            if (name == "__metadata__")
            {
                continue;
            }

            JsonNode moved = tensor!.DeepClone();
            moved["data_offsets"] = new JsonArray(((long)tensor["data_offsets"]![0]!) + body.Length, ((long)tensor["data_offsets"]![1]!) + body.Length);
            header[name] = moved;
        }

        byte[] text = Encoding.UTF8.GetBytes(header.ToJsonString());
        int padded = (text.Length + 63) / 64 * 64;
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, padded);
        return [.. length, .. text, .. Enumerable.Repeat((byte)' ', padded - text.Length), .. body, .. behind];
    }

    private static (JsonObject Header, byte[] Body) Parts(byte[] file)
    {
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        return (JsonNode.Parse(file.AsSpan(8, length))!.AsObject(), file[(8 + length)..]);
    }

    private static void AssertClose(float[] expected, float[] actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }
}

using System.Text.Json;
using Espalier.Tests.Declared;
using Espalier.Vision;

namespace Espalier.Tests;

/// <summary>Every declared variant against the PyTorch reference: kept indices exactly, KV rows exactly, logits within 1e-4 in prefill and in eight decode steps.</summary>
public sealed class ReferenceTests
{
    private const float Tolerance = 1e-4f;

    /// <summary>Every case that the reference wrote.</summary>
    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        string root = RepositoryFolder.Combine("tests", "reference", "goldens", "llava");
        foreach (string file in Directory.EnumerateFiles(root, "*.json", SearchOption.AllDirectories).Where(static file => Path.GetFileName(file) != "inputs.json").Order(StringComparer.Ordinal))
        {
            data.Add(Path.GetFileName(Path.GetDirectoryName(file))!, Path.GetFileNameWithoutExtension(file));
        }

        return data;
    }

    [Fact]
    public void ThereAreCases() => Assert.InRange(Cases().Count, 150, 1000);

    [Theory]
    [MemberData(nameof(Cases))]
    public void MatchesThePyTorchReference(string model, string name)
    {
        Goldens goldens = Goldens.Of(model);
        JsonElement expected = goldens.Case(name);
        (int[] prefix, int[] suffix, _) = goldens.Prompt(name);
        (byte[] rgb, int width, int height) = goldens.Image();
        using Checkpoint checkpoint = Checkpoint.Open(goldens.CheckpointFolder);
        using VisionLanguageModel variant = Declared(model, name)(checkpoint, null);
        int steps = expected.GetProperty("tokens").GetArrayLength();
        using Sequence sequence = variant.CreateSequence(prefix.Length + variant.LoadedPlan.ImagePositions + suffix.Length + steps);
        var pixels = new float[3 * checkpoint.Geometry.Vision.ImageSize * checkpoint.Geometry.Vision.ImageSize];
        variant.Preprocessor.Process(new RgbImage(rgb, width, height), pixels);

        Assert.Equal(StepResult.Ready, variant.Prefill(sequence, prefix, pixels, suffix));

        int ran = 0;
        if (expected.TryGetProperty("kept_before_decoder", out JsonElement before))
        {
            foreach (JsonElement kept in before.EnumerateArray())
            {
                Assert.Equal(Goldens.Ints(kept), sequence.SurvivorsOf(ran++).ToArray());
            }
        }

        if (expected.TryGetProperty("kept", out JsonElement keptInDecoder))
        {
            Assert.Equal(Goldens.Ints(keptInDecoder), sequence.SurvivorsOf(ran).ToArray());
        }

        if (expected.TryGetProperty("survivors", out JsonElement survivors))
        {
            int step = ran;
            foreach (JsonElement tokens in survivors.EnumerateArray())
            {
                Assert.Equal(Goldens.Ints(tokens), sequence.SurvivorsOf(step++).ToArray());
            }

            Assert.Equal(variant.LoadedPlan.Steps.Count(static s => !s.IsExit), step);
        }

        if (expected.TryGetProperty("held", out JsonElement held))
        {
            var tokens = new int[variant.LoadedPlan.Geometry.VisualTokens];
            Assert.Equal(held.GetArrayLength(), sequence.Pass.Map.Count);
            for (int row = 0; row < held.GetArrayLength(); row++)
            {
                Assert.Equal(Goldens.Ints(held[row]), tokens[..sequence.TokensOf(row, tokens)]);
            }
        }

        if (expected.TryGetProperty("exit_layer", out JsonElement exit))
        {
            Assert.Equal(exit.ValueKind == JsonValueKind.Null ? null : exit.GetInt32(), sequence.Statistics.ExitLayer);
        }

        int[] rows = Goldens.Ints(expected.GetProperty("kv_rows"));
        Assert.Equal(rows, Enumerable.Range(0, rows.Length).Select(sequence.Pass.Cache.Length));
        AssertClose(Goldens.Floats(expected.GetProperty("logits")), sequence.Logits);
        int position = 0;
        int skipped = 0;
        int evicted = 0;
        foreach (JsonElement step in expected.GetProperty("step_logits").EnumerateArray())
        {
            Assert.Equal(StepResult.Ready, variant.Decode(sequence, expected.GetProperty("tokens")[position++].GetInt32()));
            AssertClose(Goldens.Floats(step), sequence.Logits);
            if (expected.TryGetProperty("skipped", out JsonElement layers))
            {
                skipped += layers[position - 1].GetArrayLength();
                Assert.Equal(skipped, sequence.Statistics.SkippedFeedForwards);
            }

            if (expected.TryGetProperty("evicted", out JsonElement texts))
            {
                evicted += texts[position - 1].GetArrayLength();
                Assert.Equal(evicted, sequence.Statistics.EvictedTextTokens);
            }
        }

        if (expected.TryGetProperty("kv_texts", out JsonElement left))
        {
            Assert.Equal(left.EnumerateArray().Select(static layer => layer.GetArrayLength()), Enumerable.Range(0, rows.Length).Select(sequence.Pass.Cache.Length));
        }
    }

    /// <summary>The class of a case, which is named as model and case are: <c>ClipLlamaFastVMean</c> is "fastv-mean" of "clip-llama". A prompt before the case ("q1.") is none of the class's concern.</summary>
    private static Func<Checkpoint, ModelOptions?, VisionLanguageModel> Declared(string model, string name)
    {
        string wanted = model.Replace("-", "", StringComparison.Ordinal) + name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..].Replace("-", "", StringComparison.Ordinal);
        Type? declared = typeof(ClipLlamaDense).Assembly.GetTypes().SingleOrDefault(type => type.Namespace == typeof(ClipLlamaDense).Namespace && string.Equals(type.Name, wanted, StringComparison.OrdinalIgnoreCase));
        Assert.True(declared is not null, $"The case '{name}' of '{model}' has no class. Declare '{wanted}', in upper and lower case as you like, in tests/EndToEnd/Declared.");
        return declared.GetMethod("Load", [typeof(Checkpoint), typeof(ModelOptions)])!.CreateDelegate<Func<Checkpoint, ModelOptions?, VisionLanguageModel>>();
    }

    private static void AssertClose(float[] expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        float worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            worst = Math.Max(worst, Math.Abs(expected[i] - actual[i]));
        }

        Assert.True(worst <= Tolerance, $"The largest logit difference is {worst}.");
    }
}

using System.Text.Json;
using Espalier.Graphs;
using Espalier.Planning;

namespace Espalier.Tests.Graphs;

/// <summary>The graphs with the weights of real checkpoints, against what PyTorch computed (tests/reference): dense, scored, frozen, pruned, exited and decoded.</summary>
public sealed class GoldenTests
{
    public static TheoryData<string, string> Cases => FindCases();

    public static TheoryData<string> Models { get; } = ["clip-llama", "siglip-qwen2", "clip-llama-f16"];

    private static string Goldens => RepositoryFolder.Combine("tests", "reference", "goldens", "llava");

    [Theory]
    [MemberData(nameof(Models))]
    public void TheGraphsReadTheTensorsThatTheCheckpointMustHave(string model)
    {
        using var checkpoint = Open(model, out _);
        var geometry = checkpoint.Geometry;
        var read = new[] { VisionGraph.Build(geometry.Vision, LinearFormat.Float32), ProjectorGraph.Build(geometry, LinearFormat.Float32), MonolithGraph.Build(geometry.Text, checkpoint.HeadTensorName, LinearFormat.Float32) }
            .SelectMany(graph => graph.Weights)
            .Where(use => use.Name is not (DerivedWeights.RopeCos or DerivedWeights.RopeSin))
            .Select(use => (use.Name, string.Join(',', use.Shape)))
            .ToHashSet();
        var required = RequiredTensors.Of(geometry).Select(tensor => (tensor.Name, string.Join(',', tensor.Shape))).ToHashSet();

        // The embedding table is looked up on the host; the head may be a tensor of its own.
        var table = ("language_model.embed_tokens.weight", $"{geometry.Text.Vocabulary},{geometry.Text.Hidden}");
        required.Remove(table);
        read.Remove(table);
        read.Remove(("lm_head.weight", table.Item2));
        Assert.Equal(required.Order(), read.Order());
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void ProjectorMatches(string model)
    {
        using var checkpoint = Open(model, out var inputs);
        double[][] features = Matrix(inputs.GetProperty("vision_features").GetProperty("values"));
        double[][] expected = Matrix(inputs.GetProperty("visual_embeddings").GetProperty("values"));
        using var session = new GraphSession(ProjectorGraph.Build(checkpoint.Geometry, LinearFormat.Float32), new CheckpointWeights(checkpoint));
        using var x = NativeTensor.Of(Reference.Flatten(features), 1, features.Length, checkpoint.Geometry.Vision.Hidden);
        using var y = NativeTensor.Empty(1, features.Length, checkpoint.Geometry.Text.Hidden);
        session.Run([(GraphNames.Features, x)], [(GraphNames.Y, y)]);
        Reference.AssertClose(expected, y.Floats);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void DecoderMatches(string model, string name)
    {
        using var checkpoint = Open(model, out var inputs);
        var golden = Read(model, name);
        using var decoder = new GoldenDecoder(checkpoint, golden.GetProperty("policy"));

        var prompt = inputs.GetProperty("prompts").GetProperty("prompt");
        double[] logits = decoder.Prefill(
            Embed(checkpoint, prompt.GetProperty("prefix")),
            Matrix(inputs.GetProperty("visual_embeddings").GetProperty("values")),
            Embed(checkpoint, prompt.GetProperty("suffix")));

        Assert.Equal(golden.GetProperty("kv_rows").EnumerateArray().Select(rows => rows.GetInt32()), decoder.CacheRows);
        if (golden.TryGetProperty("kept", out var kept))
        {
            Reference.AssertClose(Row(golden.GetProperty("fastv_scores")), Array.ConvertAll(decoder.Scores!, score => (float)score), 1e-5);
            Assert.Equal(kept.EnumerateArray().Select(index => index.GetInt32()), decoder.Kept!);
        }

        Reference.AssertClose(Row(golden.GetProperty("logits")), Array.ConvertAll(logits, logit => (float)logit), 1e-4);
        int step = 0;
        foreach (var token in golden.GetProperty("tokens").EnumerateArray())
        {
            logits = decoder.Step(Embed(checkpoint, [token.GetInt32()]));
            Reference.AssertClose(Row(golden.GetProperty("step_logits")[step++]), Array.ConvertAll(logits, logit => (float)logit), 1e-4);
        }
    }

    private static double[][] Embed(Checkpoint checkpoint, JsonElement ids) => Embed(checkpoint, [.. ids.EnumerateArray().Select(id => id.GetInt32())]);

    private static double[][] Embed(Checkpoint checkpoint, int[] ids)
    {
        Assert.True(checkpoint.TryGetTensor("language_model.embed_tokens.weight", out var table));
        var row = new float[checkpoint.Geometry.Text.Hidden];
        return Array.ConvertAll(ids, id =>
        {
            table.ReadFloats((long)id * row.Length, row);
            return Reference.ToDoubles(row);
        });
    }

    private static double[][] Matrix(JsonElement values) => [.. values.EnumerateArray().Select(Row)];

    private static double[] Row(JsonElement values) => [.. values.EnumerateArray().Select(value => value.GetDouble())];

    private static Checkpoint Open(string model, out JsonElement inputs)
    {
        inputs = Read(model, "inputs");
        return Checkpoint.Open(RepositoryFolder.Combine(inputs.GetProperty("checkpoint").GetString()!));
    }

    private static JsonElement Read(string model, string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Goldens, model, name + ".json")));
        return document.RootElement.Clone();
    }

    private static TheoryData<string, string> FindCases()
    {
        var cases = new TheoryData<string, string>();
        foreach (string model in new[] { "clip-llama", "siglip-qwen2", "clip-llama-f16" })
        {
            foreach (string name in Read(model, "inputs").GetProperty("cases").EnumerateArray().Select(name => name.GetString()!))
            {
                // Prunes by anything else than the last row's attention are the runtime's work; tests/EndToEnd holds them to the same files.
                if (Read(model, name).GetProperty("policy").EnumerateObject().All(member => member.Name is "fastv" or "shortv" or "vtw"))
                {
                    cases.Add(model, name);
                }
            }
        }

        return cases;
    }
}

using System.Text.Json.Nodes;

namespace Espalier.Tests;

public sealed class InspectCommandTests
{
    [Fact]
    public async Task TheSampleModelHasNoProblems()
    {
        ToolRun run = await ToolRun.Of("inspect", ToolRun.Shapes);
        Assert.Equal(0, run.ExitCode);
        Assert.EndsWith("no problems\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("visual tokens an image     144\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheMemoryOfAPrecisionIsWhatItsFilesTake()
    {
        JsonNode memory = (await ToolRun.Of("inspect", ToolRun.Shapes, "--json")).Json["memory"]!;
        using Checkpoint checkpoint = Checkpoint.Open(ToolRun.Shapes);

        // Biases, norms and tables stay in single precision; the integers and scales are what the cache stores.
        long single = memory["float32"]!.GetValue<long>();
        Assert.Equal(checkpoint.TensorNames.Where(static name => !IsUnused(name)).Sum(name => checkpoint.TryGetTensor(name, out CheckpointTensor tensor) ? 4 * tensor.Elements : 0), single);
        Assert.InRange(memory["int8"]!.GetValue<long>(), single / 4, single / 3);
        Assert.InRange(memory["int4"]!.GetValue<long>(), single / 8, memory["int8"]!.GetValue<long>());

        static bool IsUnused(string name) => name.StartsWith("vision_tower.encoder.layers.5.", StringComparison.Ordinal) || name.StartsWith("vision_tower.post_layernorm", StringComparison.Ordinal);
    }

    [Fact]
    public async Task AllProblemsAreToldAtOnce()
    {
        using var folder = new TemporaryFolder();
        foreach (string file in (string[])["config.json", "model.safetensors"])
        {
            File.Copy(Path.Combine(ToolRun.Shapes, file), folder[file]);
        }

        File.WriteAllText(folder["preprocessor_config.json"], "{ \"size\": 7");
        ToolRun run = await ToolRun.Of("inspect", folder.Path, "--json");
        Assert.Equal(1, run.ExitCode);
        string[] problems = [.. run.Json["problems"]!.AsArray().Select(static problem => problem!.GetValue<string>())];
        Assert.Contains(problems, static problem => problem.Contains("tokenizer.json", StringComparison.Ordinal));
        Assert.Contains(problems, static problem => problem.Contains("preprocessor_config.json", StringComparison.Ordinal));
        Assert.Equal(144, run.Json["model"]!["visual_tokens"]!.GetValue<int>());
    }

    [Fact]
    public async Task AConfigAloneStillSaysWhatTheModelIs()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(ToolRun.Shapes, "config.json"), folder["config.json"]);
        ToolRun run = await ToolRun.Of("inspect", folder.Path, "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("Llama", run.Json["decoder"]!["family"]!.GetValue<string>());
        Assert.Contains("model.safetensors", Assert.Single(run.Json["problems"]!.AsArray())!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TensorsAreListed()
    {
        ToolRun run = await ToolRun.Of("inspect", ToolRun.Shapes, "--tensors");
        Assert.Contains("F16   [384, 192] language_model.embed_tokens.weight\n", run.Output, StringComparison.Ordinal);
    }
}

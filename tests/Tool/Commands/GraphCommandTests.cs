namespace Espalier.Tests;

public sealed class GraphCommandTests
{
    [Fact]
    public async Task AGraphAndItsWeightsAreWritten()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = await ToolRun.Of("graph", ToolRun.Shapes, "--layer", "3", "--kind", "Frozen", "-o", folder["layer.onnx"], "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.InRange(new FileInfo(folder["layer.onnx"]).Length, 1000, 20_000);
        Assert.InRange(new FileInfo(folder["layer.onnx.data"]).Length, run.Json["weight_bytes"]!.GetValue<long>(), run.Json["weight_bytes"]!.GetValue<long>() + (20 * 4096));
        ToolRun embedded = await ToolRun.Of("graph", ToolRun.Shapes, "--part", "projector", "--precision", "int8", "--embed", "-o", folder["projector.onnx"]);
        Assert.Equal(0, embedded.ExitCode);
        Assert.False(File.Exists(folder["projector.onnx.data"]));
    }

    [Fact]
    public async Task WhatDoesNotExistIsNamed()
    {
        Assert.Contains("--layer 10: the model has layers 0 to 9.", (await ToolRun.Of("graph", ToolRun.Shapes, "--layer", "10")).Errors, StringComparison.Ordinal);
        Assert.Equal(2, (await ToolRun.Of("graph", ToolRun.Shapes, "--kind", "Hot")).ExitCode);
        Assert.Equal(1, (await ToolRun.Of("graph", ToolRun.Shapes, "-o", "/no-such-folder/layer.onnx")).ExitCode);
    }
}

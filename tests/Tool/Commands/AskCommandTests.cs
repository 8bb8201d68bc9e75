namespace Espalier.Tests;

public sealed class AskCommandTests
{
    private const string Question = "what color is the circle ?";

    [Fact]
    public async Task TheAnswerIsTheOutputAndWhatItTookIsNot()
    {
        ToolRun run = await ToolRun.Of("ask", ToolRun.Shapes, ToolRun.Picture("circle.png"), Question, "-p", "[Vtw(K = 9)]");
        Assert.Equal((0, "red\n"), (run.ExitCode, run.Output));
        Assert.Matches("^visual tokens 144 → 0 · vision [0-9.]+ ms · prefill [0-9.]+ ms · [0-9]+ tokens/s\n$", run.Errors);
    }

    [Fact]
    public async Task JsonSaysWhatWasKept()
    {
        ToolRun run = await ToolRun.Of("ask", ToolRun.Shapes, ToolRun.Picture("circle.png"), Question, "-p", "[FastV(K = 2, R = 0.5)]", "--precision", "int8", "--json");
        Assert.Equal("red", run.Json["answer"]!.GetValue<string>());
        Assert.Equal("stop", run.Json["finish"]!.GetValue<string>());
        Assert.Equal((144, 72), (run.Json["visual_tokens"]!.GetValue<int>(), run.Json["visual_tokens_kept"]!.GetValue<int>()));
    }

    [Fact]
    public async Task AnAnswerThatIsCutOffSaysBy()
    {
        ToolRun run = await ToolRun.Of("ask", ToolRun.Shapes, ToolRun.Picture("pair.png"), "where is the yellow square ?", "--max-tokens", "1");
        Assert.Equal(0, run.ExitCode);
        Assert.EndsWith("the answer was cut off at --max-tokens; name more for a longer one.\n", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsWrongIsNamed()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["text.png"], "no picture");
        await Fails(1, "missing.png: there is no such file", ToolRun.Shapes, "missing.png", Question);
        await Fails(1, "text.png", ToolRun.Shapes, folder["text.png"], Question);
        await Fails(1, folder.Path, folder.Path, ToolRun.Picture("circle.png"), Question);
        await Fails(1, "ESP0101", ToolRun.Shapes, ToolRun.Picture("circle.png"), Question, "-p", "[Vtw(K = 99)]");
        await Fails(1, "sequence holds", ToolRun.Shapes, ToolRun.Picture("circle.png"), string.Concat(Enumerable.Repeat("what ", 600)), "--text-positions", "16");
        await Fails(2, "--precision is one of float32, int8, int4", ToolRun.Shapes, ToolRun.Picture("circle.png"), Question, "--precision", "fp8");
        await Fails(2, "--top-p is a number above 0 and at most 1, not 2.", ToolRun.Shapes, ToolRun.Picture("circle.png"), Question, "--top-p", "2");

        static async Task Fails(int code, string part, params string[] args)
        {
            ToolRun run = await ToolRun.Of(["ask", .. args]);
            Assert.Equal(code, run.ExitCode);
            Assert.Contains(part, run.Errors, StringComparison.Ordinal);
        }
    }
}

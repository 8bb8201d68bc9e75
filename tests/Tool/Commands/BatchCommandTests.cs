using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Espalier.Tool.Batch;

namespace Espalier.Tests;

public sealed class BatchCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private readonly string[] _lines =
    [
        """{"id": "a", "image": "circle.png", "question": "what color is the circle ?"}""",
        "{ this is no JSON",
        """{"id": 7, "image": "circle.png"}""",
        "",
        """{"id": "c", "image": "missing.png", "question": "what color is the circle ?"}""",
        """{"image": "notes.txt", "question": "what color is the circle ?"}""",
        """{"image": "data:image/png;base64,@@", "question": "q"}""",
        """{"image": "data:image/png,abc", "question": "q"}""",
        "[]",
        """{"id": {}, "image": "circle.png", "question": "q"}""",
        """{"image": "circle.png", "question": "q"} {"image": "circle.png", "question": "q"}""",
        """{"id": "ü", "image": "crosses.png", "question": "how many crosses are there ?"}""",
    ];

    public BatchCommandTests()
    {
        foreach (string picture in (string[])["circle.png", "crosses.png"])
        {
            File.Copy(ToolRun.Picture(picture), _folder[picture]);
        }

        File.WriteAllText(_folder["notes.txt"], "no picture");
        File.WriteAllLines(_folder["in.jsonl"], _lines);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task EveryLineGetsItsRecordInOrder()
    {
        ToolRun run = await Batch();
        Assert.Equal((0, ""), (run.ExitCode, run.Output));
        Assert.EndsWith("2 answered, 9 with errors\n", run.Errors, StringComparison.Ordinal);
        JsonNode[] records = Records();
        Assert.Equal([1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12], records.Select(static record => record["line"]!.GetValue<int>()));
        Assert.Equal(["", "json", "field", "image", "image", "image", "image", "json", "field", "json", ""], records.Select(static record => record["error"]?["kind"]!.GetValue<string>() ?? ""));
        Assert.Equal("red", records[0]["answer"]!.GetValue<string>());
        Assert.Equal((144, 0), (records[0]["visual_tokens"]!.GetValue<int>(), records[0]["visual_tokens_kept"]!.GetValue<int>()));
        Assert.Equal(["a", null, "7", "c"], records.Take(4).Select(static record => record["id"]?.ToString()));
        Assert.Equal("ü", records[^1]["id"]!.GetValue<string>());
        Assert.Contains("missing.png", records[3]["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2")]
    [InlineData("16")]
    public async Task LinesThatAreAnsweredTogetherGiveTheSameBytes(string together)
    {
        File.WriteAllLines(_folder["in.jsonl"], [.. _lines, .. _lines, _lines[0]]);
        await Batch();
        string alone = File.ReadAllText(_folder["out.jsonl"]);
        File.Delete(_folder["out.jsonl"]);
        ToolRun run = await Batch("--batch", together);
        Assert.Equal(0, run.ExitCode);
        Assert.EndsWith("5 answered, 18 with errors\n", run.Errors, StringComparison.Ordinal);
        Assert.Equal(alone, File.ReadAllText(_folder["out.jsonl"]));

        // Ended in the middle it goes on, with any number of lines at a time.
        File.WriteAllText(_folder["out.jsonl"], alone[..(alone.Length / 2)]);
        await Batch("--batch", "3");
        Assert.Equal(alone, File.ReadAllText(_folder["out.jsonl"]));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("many")]
    public async Task HowManyLinesIsChecked(string together) => Assert.Contains("--batch is a whole number from 1 to 1024", (await Batch("--batch", together)).Errors, StringComparison.Ordinal);

    [Fact]
    public async Task AnEndedBatchGoesOnAndTheBytesAreTheSame()
    {
        await Batch();
        byte[] whole = File.ReadAllBytes(_folder["out.jsonl"]);
        foreach (double share in (double[])[0.01, 0.5, 0.97, 1])
        {
            File.WriteAllBytes(_folder["out.jsonl"], whole[..(int)(share * whole.Length)]);
            Assert.Equal(0, (await Batch()).ExitCode);
            Assert.Equal(Encoding.UTF8.GetString(whole), File.ReadAllText(_folder["out.jsonl"]));
        }

        ToolRun other = await ToolRun.Of("batch", ToolRun.Shapes, _folder["in.jsonl"], "-o", _folder["out.jsonl"]);
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("out.jsonl: the file holds records of a run with another model, policy", other.Errors, StringComparison.Ordinal);
        File.WriteAllText(_folder["out.jsonl"], "notes\n");
        Assert.Contains("out.jsonl: the last line is no record of a batch", (await Batch()).Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("my notes, without a line feed")]
    [InlineData("my notes,\nin two lines")]
    public async Task AFileOfSomebodyElseIsLeftAsItIs(string text)
    {
        File.WriteAllText(_folder["out.jsonl"], text);
        ToolRun run = await Batch();
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("out.jsonl: the", run.Errors, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(_folder["out.jsonl"]));
    }

    [Fact]
    public async Task AStepOfAPipeReadsAndWritesTheStandardStreams()
    {
        string picture = Convert.ToBase64String(File.ReadAllBytes(ToolRun.Picture("circle.png")));
        string line = "{\"image\": \"data:image/png;base64," + picture + "\", \"question\": \"what color is the circle ?\"}";
        ToolRun run = await ToolRun.With("\ufeff" + line + "\r\n" + line, "batch", ToolRun.Shapes, "--strict");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["red", "red"], run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static record => JsonNode.Parse(record)!["answer"]!.GetValue<string>()));
    }

    [Fact]
    public async Task StrictBatchesReturnThree() => Assert.Equal(3, (await Batch("--strict")).ExitCode);

    [Fact]
    public async Task WhatKeepsTheBatchFromStartingIsNamed()
    {
        Assert.Contains("no.jsonl: there is no such file", (await ToolRun.Of("batch", ToolRun.Shapes, "no.jsonl")).Errors, StringComparison.Ordinal);
        Assert.Contains("--images", (await ToolRun.Of("batch", ToolRun.Shapes, _folder["in.jsonl"], "--images", _folder["no"])).Errors, StringComparison.Ordinal);
        Assert.Equal(1, (await ToolRun.Of("batch", _folder.Path, _folder["in.jsonl"])).ExitCode);
        Assert.Equal(1, (await ToolRun.Of("batch", ToolRun.Shapes, _folder["in.jsonl"], "-o", _folder.Path)).ExitCode);
    }

    [Fact]
    public async Task AnInterruptEndsBetweenTwoRecords()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        File.WriteAllLines(_folder["long.jsonl"], Enumerable.Repeat(_lines[0], 5000));
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardError = true };
        foreach (string argument in (string[])[typeof(BatchRun).Assembly.Location, "batch", ToolRun.Shapes, _folder["long.jsonl"], "-o", _folder["long.out"]])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        while (!process.HasExited && (!File.Exists(_folder["long.out"]) || new FileInfo(_folder["long.out"]).Length == 0))
        {
            await Task.Delay(50);
        }

        using (Process signal = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await signal.WaitForExitAsync();
        }

        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        Assert.Contains("the same command goes on from", errors, StringComparison.Ordinal);
        string[] records = File.ReadAllText(_folder["long.out"]).Split('\n');
        Assert.Equal("", records[^1]);
        Assert.InRange(records.Length, 2, 5000);
        Assert.All(records[..^1], static record => JsonNode.Parse(record));
    }

    private Task<ToolRun> Batch(params string[] args) => ToolRun.Of(["batch", ToolRun.Shapes, _folder["in.jsonl"], "-o", _folder["out.jsonl"], "-p", "[Vtw(K = 9)]", .. args]);

    private JsonNode[] Records() => [.. File.ReadAllLines(_folder["out.jsonl"]).Select(static line => JsonNode.Parse(line)!)];
}

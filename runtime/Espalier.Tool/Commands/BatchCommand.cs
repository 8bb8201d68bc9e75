using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Espalier.Calibration;
using Espalier.CommandLine;
using Espalier.Evaluation;
using Espalier.Tool.Batch;

namespace Espalier.Tool.Commands;

/// <summary>Answers JSON lines: the piece that other engines scale out.</summary>
internal static class BatchCommand
{
    public static Command Create(Terminal terminal, Func<Stream> standardInput)
    {
        Argument<string> checkpoint = SharedOptions.Checkpoint();
        Argument<string?> input = new("input") { Description = "JSON lines with image (a path, or data:image/...;base64,...), question and, if you like, id. Standard input if left out.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> policy = SharedOptions.Policy();
        Option<string?> output = new("--output", "-o") { Description = "The file that gets a record a line, in order. If it holds records already, the next one is made for the line behind them. Standard output if left out.", HelpName = "file" };
        Option<string?> images = new("--images") { Description = "What the paths of pictures are relative to: by default the folder of the input, or the working folder.", HelpName = "folder" };
        Option<bool> strict = new("--strict") { Description = "Returns 3 if a record is an error. All lines are answered all the same." };
        Option<int> together = NumberOption.Create("--batch", "Lines that are answered at the same time: a step of them reads the weights once. Each line takes a KV cache of its own.", static value => value is >= 1 and <= VisionLanguageModel.MaximumBatchSlots, $"is a whole number from 1 to {VisionLanguageModel.MaximumBatchSlots}", 1);
        Option<Precision> precision = SharedOptions.Precision();
        Option<int> positions = SharedOptions.TextPositions();
        var command = new DocumentedCommand(
            "batch",
            "Answers JSON lines with JSON lines, in order. A bad line gets a record with \"error\" and stops nothing. With --output, the same command goes on where it was ended.",
            "batch models/llava questions.jsonl -o answers.jsonl -p '[FastV(K = 2, R = 0.5)]'",
            "batch models/llava --images photos < questions.jsonl > answers.jsonl",
            "batch models/llava shard-7.jsonl -o answers-7.jsonl --precision int8 --batch 16 --strict")
        {
            checkpoint, input, policy, output, images, strict, together, precision, positions,
        };
        SamplingOptions sampling = SamplingOptions.AddTo(command, maxTokens: 256);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            terminal,
            standardInput,
            parsed.GetRequiredValue(checkpoint),
            parsed.GetValue(input),
            parsed.GetValue(policy) ?? "",
            parsed.GetValue(output),
            parsed.GetValue(images),
            parsed.GetValue(strict),
            parsed.GetValue(together),
            parsed.GetValue(precision),
            parsed.GetValue(positions),
            sampling.Read(parsed),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        Terminal terminal,
        Func<Stream> standardInput,
        string folder,
        string? inputPath,
        string policy,
        string? outputPath,
        string? images,
        bool strict,
        int together,
        Precision precision,
        int positions,
        AnswerOptions options,
        CancellationToken cancellationToken)
    {
        OutputFile.Check(outputPath, "--output");
        if (inputPath is not null && !File.Exists(inputPath))
        {
            throw new InputException($"{inputPath}: there is no such file. Name a file of JSON lines, or leave it out to read standard input.");
        }

        images = Path.GetFullPath(images ?? (inputPath is null ? "." : Path.GetDirectoryName(Path.GetFullPath(inputPath))!));
        if (!Directory.Exists(images))
        {
            throw new InputException($"{images}: there is no such folder. Name the folder of the pictures with --images.");
        }

        NativeLibraries.Ensure(terminal);
        using PolicyCompilation compilation = Policies.Compile(terminal, folder, [policy], cancellationToken);
        IReadOnlyList<Candidate> candidates = Policies.Candidates(compilation);
        string run = NameOf(folder, candidates[0], precision, options);
        using BatchOutput output = outputPath is null ? BatchOutput.To(new WriterStream(terminal.Output)) : BatchOutput.Open(outputPath, run);
        if (output.LastLine > 0)
        {
            terminal.Errors.WriteLine(string.Create(CultureInfo.InvariantCulture, $"going on after line {output.LastLine}"));
        }

        using LoadedCandidates loaded = Loading.Load(terminal, folder, candidates, precision, positions, cancellationToken);
        var batch = new BatchRun(loaded.All[0], options, images, run);
        using Stream input = inputPath is null ? standardInput() : File.OpenRead(inputPath);
        long lines = inputPath is null || !terminal.ShowsProgress ? 0 : Math.Max(1, File.ReadLines(inputPath).LongCount() - output.LastLine);
        try
        {
            await terminal.ProgressAsync("lines", 0, lines, done => together == 1 ? batch.RunAsync(input, output, done, cancellationToken) : batch.RunTogetherAsync(together, input, output, done, cancellationToken));
        }
        catch (OperationCanceledException) when (outputPath is not null)
        {
            return terminal.Cancelled(outputPath);
        }

        terminal.Errors.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{batch.Answered} answered, {batch.Failed} with errors"));
        return strict && batch.Failed > 0 ? ErrorRecords : ExitCode.Success;
    }

    /// <summary>Done, and some records say what was wrong.</summary>
    private const int ErrorRecords = 3;

    private static string NameOf(string folder, Candidate candidate, Precision precision, AnswerOptions options)
    {
        string settings = string.Create(CultureInfo.InvariantCulture, $"{candidate.Name}\n{precision}\n{options.Temperature:R}\n{options.TopP:R}\n{options.Seed}\n{options.MaxNewTokens}\n");
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(FileDigests.OfModel(folder) + "\n" + settings));
        return Convert.ToHexStringLower(hash.AsSpan(0, 6));
    }

    /// <summary>Bytes of UTF-8 to where the command's text goes.</summary>
    private sealed class WriterStream(TextWriter writer) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => writer.Write(Encoding.UTF8.GetString(buffer, offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => writer.Write(Encoding.UTF8.GetString(buffer));

        public override void Flush() => writer.Flush();
    }
}

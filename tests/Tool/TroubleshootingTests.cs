using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Espalier.Calibration;
using Espalier.Imaging;

namespace Espalier.Tests;

/// <summary>Every message that generator/docs/troubleshoot.md explains is one that users get, word for word.</summary>
public sealed partial class TroubleshootingTests : IDisposable
{
    private static readonly string Picture = ToolRun.Picture("circle.png");

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Messages => [.. Heading().Matches(File.ReadAllText(RepositoryFolder.Combine("generator", "docs", "troubleshoot.md"))).Select(static match => match.Groups[1].Value)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task IsProvoked(string message)
    {
        string pattern = "^" + Regex.Escape(message).Replace(@"\.\.\.", ".+", StringComparison.Ordinal);
        Assert.Matches(new Regex(pattern, RegexOptions.Multiline), await Provoke(message));
    }

    private Task<string> Provoke(string message)
    {
        switch (message)
        {
            case var _ when message.StartsWith("Espalier needs the native library", StringComparison.Ordinal):
                return Fetch();
            case "...: the folder does not exist.":
                return Told(() => Checkpoint.Open(_folder["gone"]));
            case var _ when message.StartsWith("...: the folder holds neither", StringComparison.Ordinal):
                return Told(() => Checkpoint.Open(Copy(static folder => File.Delete(folder + "/model.safetensors"))));
            case var _ when message.StartsWith("...: ... claims the bytes", StringComparison.Ordinal):
                return Told(() => Checkpoint.Open(Copy(static folder =>
                {
                    using FileStream file = File.OpenWrite(folder + "/model.safetensors");
                    file.SetLength(100_000);
                })));
            case var _ when message.StartsWith("...: model_type is", StringComparison.Ordinal):
                return Told(() => Checkpoint.Open(WithConfig(static config => config["model_type"] = "idefics3")));
            case var _ when message.StartsWith("...: the checkpoint lacks", StringComparison.Ordinal):
                return Told(() => Checkpoint.Open(WithConfig(static config => config["text_config"]!["num_hidden_layers"] = 12)));
            case var _ when message.StartsWith("...: the checkpoint is not the model", StringComparison.Ordinal):
                return Compiled("", model =>
                {
                    using Checkpoint other = Checkpoint.Open(WithConfig(static config => config["text_config"]!["rope_theta"] = 5000));
                    using VisionLanguageModel _ = model.Load(other, null);
                    return Task.CompletedTask;
                });
            case var _ when message.StartsWith("...: ... is stored as", StringComparison.Ordinal):
                return Told(() => Checkpoint.Open(Copy(static folder => Retype(folder + "/model.safetensors"))));
            case var _ when message.StartsWith("...: '...' needs the tensor", StringComparison.Ordinal):
                return Asked("[Victor(M = 5, K = 3)]", static (_, _) => Task.CompletedTask);
            case var _ when message.StartsWith("...: $: the file cannot be read", StringComparison.Ordinal):
                return Told(() => Checkpoint.Open(Copy(static folder => File.Delete(folder + "/tokenizer.json"))).Tokenizer);
            case var _ when message.StartsWith("...: the quantised weights", StringComparison.Ordinal):
                File.WriteAllText(_folder["file"], "");
                return Asked("", static (_, _) => Task.CompletedTask, new ModelOptions { Precision = Precision.Int8, CacheFolder = _folder["file"] });
            case var _ when message.StartsWith("The environment variable ESPALIER_ONNXRUNTIME", StringComparison.Ordinal):
                return OtherProcess(("ESPALIER_ONNXRUNTIME", "/nowhere.so"), "ask", ToolRun.Shapes, Picture, "what color is the circle ?");
            case var _ when message.StartsWith("... is not a JPEG", StringComparison.Ordinal):
                return Told(() => ImageDecoder.Load(Path.Combine(ToolRun.Shapes, "config.json")));
            case var _ when message.StartsWith("The prompt has", StringComparison.Ordinal):
                return Asked("", static async (model, _) =>
                {
                    using Sequence small = model.CreateSequence(160);
                    await Answer(model.AnswerAsync(small, ImageDecoder.Load(Picture), string.Join(' ', Enumerable.Repeat("word", 100))));
                });
            case var _ when message.StartsWith("The sequence is already running", StringComparison.Ordinal):
                return Asked("", static async (model, sequence) =>
                {
                    await using IAsyncEnumerator<string> first = model.AnswerAsync(sequence, ImageDecoder.Load(Picture), "what color is the circle ?").GetAsyncEnumerator();
                    await first.MoveNextAsync();
                    await Answer(model.AnswerAsync(sequence, ImageDecoder.Load(Picture), "what color is the circle ?"));
                });
            case var _ when message.StartsWith("The sequence holds no conversation", StringComparison.Ordinal):
                return Asked("", static (model, sequence) => Answer(model.AnswerAsync(sequence, "what shape is blue ?")));
            case var _ when message.StartsWith("WebGPU cannot be used", StringComparison.Ordinal):
                // The loader asks the C library, which does not see what .NET sets.
                Assert.Equal(0, SetEnvironment("VK_DRIVER_FILES", "/nowhere/driver.json", 1));
                return Asked("", static (_, _) => Task.CompletedTask, new ModelOptions { Device = Device.WebGpu });
            case var _ when message.StartsWith("Precision.Int8 does not run", StringComparison.Ordinal):
                return Asked("", static (_, _) => Task.CompletedTask, new ModelOptions { Device = Device.WebGpu, Precision = Precision.Int8 });
            case var _ when message.StartsWith("the policy", StringComparison.Ordinal):
                return Tool("plan", ToolRun.Shapes, "-p", "[FastV(K = 20)]");
            case var _ when message.StartsWith("...: the file is of a run", StringComparison.Ordinal):
                return AnotherRun();
            case var _ when message.StartsWith("...: line ...: \"image\"", StringComparison.Ordinal):
                File.WriteAllText(_folder["lost.jsonl"], """{"image": "x.png", "question": "a", "answer": "b"}""");
                return Tool("evaluate", ToolRun.Shapes, _folder["lost.jsonl"]);
            case var _ when message.StartsWith("no candidate is within", StringComparison.Ordinal):
                QuestionData.Write(_folder["one.jsonl"], 1);
                return Tool("search", ToolRun.Shapes, _folder["one.jsonl"], "-p", "[FastV]", "--budget", "0.01", "-o", _folder["search"]);
            default:
                throw new InvalidOperationException("Nobody knows how to provoke this one: add a case.");
        }
    }

    private static async Task<string> Tool(params string[] args) => (await ToolRun.Of(args)).Errors;

    private static Task<string> Told(Func<object> act) => Task.FromResult(Assert.ThrowsAny<Exception>(act).Message);

    private static async Task Answer(IAsyncEnumerable<string> answer)
    {
        await foreach (string _ in answer)
        {
        }
    }

    private static async Task<string> Compiled(string policy, Func<CompiledPolicy, Task> use)
    {
        using PolicyCompilation compilation = PolicyCompiler.Compile(ToolRun.Shapes, [policy]);
        return (await Assert.ThrowsAnyAsync<Exception>(() => use(compilation.Policies[0]))).Message;
    }

    private static Task<string> Asked(string policy, Func<VisionLanguageModel, Sequence, Task> use, ModelOptions? options = null) => Compiled(policy, async compiled =>
    {
        using Checkpoint checkpoint = Checkpoint.Open(ToolRun.Shapes);
        using VisionLanguageModel model = compiled.Load(checkpoint, options);
        using Sequence sequence = model.CreateSequence(256);
        await use(model, sequence);
    });

    private static async Task<string> OtherProcess((string Name, string Value) variable, params string[] args) =>
        (await ChildProcess.RunDotnet(RepositoryFolder.Root, new Dictionary<string, string?> { [variable.Name] = variable.Value }, [typeof(Espalier.Tool.ToolCommands).Assembly.Location, .. args])).Errors;

    private async Task<string> Fetch()
    {
        var environment = new Dictionary<string, string?> { ["PATH"] = PathWithoutNpm.In(_folder.Path), ["TMPDIR"] = _folder.Path };
        string project = RepositoryFolder.Combine("runtime", "build", "Espalier.NativeLibraries.Fetch.proj");
        string library = "-p:LibraryName=onnxruntime;NpmPackage=onnxruntime-node;NpmVersion=1.30.0;ArchivePath=package/x.so;Sha256=00;Remedy=Install npm";
        ChildProcess build = await ChildProcess.RunDotnet(_folder.Path, environment, "msbuild", project, "-nologo", "-t:Fetch", library, "-p:CachedFile=" + _folder["cache/x.so"]);
        return Regex.Match(build.Output, "error : (.*)").Groups[1].Value;
    }

    private async Task<string> AnotherRun()
    {
        QuestionData.Write(_folder["two.jsonl"], 2);
        string[] evaluate = ["evaluate", ToolRun.Shapes, _folder["two.jsonl"], "-o", _folder["report"], "--limit"];
        Assert.Equal(0, (await ToolRun.Of([.. evaluate, "1"])).ExitCode);
        return await Tool([.. evaluate, "2"]);
    }

    /// <summary>A copy of the sample model with a change.</summary>
    private string Copy(Action<string> change)
    {
        string folder = _folder["copy"];
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.EnumerateFiles(ToolRun.Shapes))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        change(folder);
        return folder;
    }

    private string WithConfig(Action<JsonNode> change) => Copy(folder =>
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(folder + "/config.json"))!;
        change(config);
        File.WriteAllText(folder + "/config.json", config.ToJsonString());
    });

    /// <summary>Says of the first half-precision tensor that it is of integers of the same size.</summary>
    private static void Retype(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int at = bytes.AsSpan().IndexOf("\"F16\""u8);
        "\"I16\""u8.CopyTo(bytes.AsSpan(at));
        File.WriteAllBytes(path, bytes);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [GeneratedRegex("^#### `(.*)`$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}

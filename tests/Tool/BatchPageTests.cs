using YamlDotNet.RepresentationModel;

namespace Espalier.Tests;

/// <summary>What generator/docs/batch.md hands to Kubernetes and to Spark. Neither is here: what they start is, as they start it.</summary>
public sealed class BatchPageTests
{
    private const string Page = "generator/docs/batch.md";

    [PosixFact]
    public async Task TheIndexedJobAnswersEveryShard()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(DocumentedCommands.Block(Page, "yaml")));
        YamlNode job = Assert.Single(yaml.Documents).RootNode;
        Assert.Equal(("batch/v1", "Job", "Indexed"), (Text(job, "apiVersion"), Text(job, "kind"), Text(job["spec"], "completionMode")));
        Assert.Matches("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", Text(job["metadata"], "name"));
        YamlNode pod = job["spec"]["template"]["spec"];
        Assert.Contains(Text(pod, "restartPolicy"), (string[])["OnFailure", "Never"]);
        YamlNode container = Assert.Single((YamlSequenceNode)pod["containers"]);
        string[] command = [.. ((YamlSequenceNode)container["command"]).Select(static word => ((YamlScalarNode)word).Value!)];

        // The page's first commands write the questions, the shards and the script; then each pod runs the container's command.
        using var folder = new ReadersFolder();
        await folder.Run(Page, static command => command.Contains("cat > work/", StringComparison.Ordinal));
        int completions = int.Parse(Text(job["spec"], "completions"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(Directory.GetFiles(folder["work"], "shard-*").Length, completions);
        for (int index = 0; index < completions; index++)
        {
            ChildProcess pods = await Run(folder, command[0], new() { ["JOB_COMPLETION_INDEX"] = $"{index}" }, command[1..]);
            Assert.True(pods.ExitCode == 0, pods.Output + pods.Errors);
            Assert.Equal(File.ReadAllLines(folder[$"work/shard-{index}"]).Length, File.ReadAllLines(folder[$"work/answers-{index}.jsonl"]).Length);
        }
    }

    /// <summary>pyspark's <c>pipe</c> splits the command as a shell does, starts it once a partition, writes a line an element and makes an element of each line that comes back.</summary>
    [PythonFact]
    public async Task ThePipeAnswersEveryPartition()
    {
        using var folder = new ReadersFolder();
        File.WriteAllText(folder["questions.jsonl"],
            """
            {"id": "a", "image": "circle.png", "question": "what color is the circle ?"}
            {"id": "b", "image": "crosses.png", "question": "how many crosses are there ?"}
            {"id": "c", "image": "pair.png", "question": "what shape is blue ?"}

            """);
        File.WriteAllText(folder["step.py"], Spark + DocumentedCommands.Block(Page, "python"));
        ChildProcess python = await Run(folder, PythonFactAttribute.Python, [], "step.py");
        Assert.True(python.ExitCode == 0, python.Output + python.Errors);
        string[] records = [.. Directory.GetFiles(folder["answers"], "part-*").Order(StringComparer.Ordinal).SelectMany(File.ReadAllLines)];
        Assert.Equal(2, Directory.GetFiles(folder["answers"], "part-*").Length);
        Assert.Equal(["a", "b", "c"], records.Select(static record => (string)System.Text.Json.Nodes.JsonNode.Parse(record)!["id"]!));
        Assert.All(records, static record => Assert.Contains("\"answer\"", record, StringComparison.Ordinal));
    }

    private const string Spark =
        """
        import os, shlex, subprocess, types

        class Rdd:
            def __init__(self, partitions):
                self.partitions = partitions

            def map(self, function):
                return Rdd([[function(element) for element in partition] for partition in self.partitions])

            def pipe(self, command):
                def run(partition):
                    text = "".join(element + "\n" for element in partition)
                    return subprocess.run(shlex.split(command), input=text, stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout.splitlines()
                return Rdd([run(partition) for partition in self.partitions])

            def saveAsTextFile(self, path):
                os.makedirs(path)
                for number, partition in enumerate(self.partitions):
                    with open(os.path.join(path, "part-%05d" % number), "w") as file:
                        file.writelines(element + "\n" for element in partition)

        def text(path):
            lines = [(line.rstrip("\n"),) for line in open(path)]
            return types.SimpleNamespace(rdd=Rdd([lines[:2], lines[2:]]))

        spark = types.SimpleNamespace(read=types.SimpleNamespace(text=text))

        """;

    private static string Text(YamlNode node, string name) => ((YamlScalarNode)node[name]).Value!;

    private static Task<ChildProcess> Run(ReadersFolder folder, string program, Dictionary<string, string?> environment, params string[] arguments)
    {
        environment["PATH"] = folder["path"] + ":" + Environment.GetEnvironmentVariable("PATH");
        return ChildProcess.Run(program, folder.Root, environment, arguments);
    }
}

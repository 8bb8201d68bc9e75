using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.OnnxRuntime;

namespace Espalier.Benchmarks.Peers;

/// <summary><c>peer</c>: one declared class as an engine that <c>peers</c> commands.</summary>
internal static class PeerCommand
{
    public static Command CreateCommand()
    {
        var model = new Argument<string>("model") { Description = "A folder that 'synthesize' wrote from a preset." };
        var variant = new Option<string>("--variant") { Description = "The declared class.", DefaultValueFactory = static _ => "dense" };
        var precision = new Option<Precision>("--precision") { Description = "Number format of the linear layers." };
        var threads = new Option<int>("--threads") { Description = "Threads of ONNX Runtime.", DefaultValueFactory = static _ => Environment.ProcessorCount };
        var command = new Command("peer", "Serves one declared class to 'peers', by lines of JSON on standard input.") { model, variant, precision, threads };
        command.Hidden = true;
        command.SetAction(parsed => Serve(parsed.GetRequiredValue(model), parsed.GetValue(variant)!, new ModelOptions { Device = Device.Cpu, Precision = parsed.GetValue(precision) }, parsed.GetValue(threads)));
        return command;
    }

    private static void Serve(string folder, string name, ModelOptions options, int threads)
    {
        OnnxRuntimeLibrary.ConfigureThreads(threads);
        using var checkpoint = Checkpoint.Open(folder);
        Variant variant = Suite.For(checkpoint).Variants.First(variant => variant.Name == name);
        using VisionLanguageModel model = variant.Load(checkpoint, options);
        int visual = variant.Plan.Geometry.VisualTokens;
        using Sequence sequence = model.CreateSequence(visual + 256);
        float[] pixels = RandomInputs.Pixels(variant.Plan.Geometry);
        var embeddings = new EmbeddingTable(checkpoint);
        Console.WriteLine("{\"ready\":true}");
        while (Console.ReadLine() is { } line)
        {
            JsonNode command = JsonNode.Parse(line)!;

            // The picture stands for the first tokens; its rows are there before the clock starts, as embedded tokens are for the others.
            int[] tokens = [.. command["tokens"]!.AsArray().Skip(visual).Select(static token => (int)token!)];
            bool decodes = (string)command["do"]! == "decode";
            int runs = 1;
            Action run = () => ((ICompiledLoop)model).Run(sequence.Pass);
            if (decodes || sequence.Position == 0)
            {
                model.Prefill(sequence, [], pixels, tokens);
            }

            if (decodes)
            {
                runs = (int)command["steps"]!;
                model.Decode(sequence, Sampler.Greedy(sequence.Logits));
                run = () =>
                {
                    for (int i = 0; i < runs; i++)
                    {
                        model.Decode(sequence, Sampler.Greedy(sequence.Logits));
                    }
                };
            }
            else
            {
                sequence.Image.Begin(CancellationToken.None);
                sequence.Image.RunTower();
                sequence.Image.Project();
                sequence.Pass.LoadPrompt(sequence.Image, embeddings, prefix: [], tokens, CancellationToken.None);
            }

            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            run();
            TimeSpan wall = Stopwatch.GetElapsedTime(start);
            cpu = Environment.CpuUsage.TotalTime - cpu;
            Console.WriteLine(new JsonObject { ["ms"] = wall.TotalMilliseconds / runs, ["cpu"] = cpu.TotalMilliseconds / runs, ["token"] = Sampler.Greedy(sequence.Logits) }.ToJsonString());
        }
    }
}

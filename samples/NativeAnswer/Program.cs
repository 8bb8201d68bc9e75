using System.Diagnostics;
using System.Globalization;
using Espalier;
using Espalier.Imaging;
using Espalier.Samples.NativeAnswer;
using Espalier.Vision;

bool check = args is [.., "--check"];
if (args.Length != (check ? 4 : 3))
{
    Console.Error.WriteLine("usage: NativeAnswer <model folder> <image> \"<question>\" [--check]");
    return 2;
}

string folder = args[0];
string question = args[2];
try
{
    RgbImage image = ImageDecoder.Load(args[1]);
    using Checkpoint checkpoint = Checkpoint.Open(folder);
    using NativeShapes model = NativeShapes.Load(checkpoint);
    using Sequence sequence = model.CreateSequence(model.LoadedPlan.Geometry.Text.MaxPositions);

    TimeSpan firstToken = TimeSpan.Zero;
    await foreach (string text in model.AnswerAsync(sequence, image, question))
    {
        firstToken = firstToken == TimeSpan.Zero ? SinceStart() : firstToken;
        Console.Write(text);
    }

    AnswerStatistics taken = sequence.Statistics;
    Console.WriteLine();
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"start to first token {firstToken.TotalMilliseconds:F0} ms · prefill {taken.Prefill.TotalMilliseconds:F1} ms · {taken.TokensPerSecond:F0} tokens/s"));
    return check ? AllocationCheck.Run(model, sequence, image, question) : 0;
}
catch (Exception exception) when (exception is EspalierException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

static TimeSpan SinceStart()
{
    using Process self = Process.GetCurrentProcess();
    return DateTime.Now - self.StartTime;
}

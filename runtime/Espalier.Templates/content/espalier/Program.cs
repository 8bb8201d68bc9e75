using Answerer;
using Espalier;
using Espalier.Imaging;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: Answerer <picture> \"<question>\"");
    return 2;
}

try
{
    using Checkpoint checkpoint = Checkpoint.Open("MODEL_FOLDER");
    using QuickModel model = QuickModel.Load(checkpoint);
    int positions = Math.Min(model.LoadedPlan.Geometry.Text.MaxPositions, model.LoadedPlan.ImagePositions + 1024);
    using Sequence sequence = model.CreateSequence(positions);
    await foreach (string text in model.AnswerAsync(sequence, ImageDecoder.Load(args[0]), args[1]))
    {
        Console.Write(text);
    }

    Console.WriteLine();
    return 0;
}
catch (EspalierException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

using System.Reflection;
using Espalier.Samples.Shapes.Variants;

namespace Espalier.Tests;

/// <summary>What a declared class of the sample says to one question about a picture, and the logits that it chose each word by.</summary>
internal sealed record SampleAnswer(string Text, List<float[]> Logits)
{
    /// <summary>The declared classes, by name.</summary>
    public static TheoryData<string> Variants()
    {
        var names = new TheoryData<string>();
        foreach (string name in typeof(DenseShapes).Assembly.GetTypes()
            .Where(static type => type.Namespace == typeof(DenseShapes).Namespace && type.IsSubclassOf(typeof(VisionLanguageModel)))
            .Select(static type => type.Name)
            .Order(StringComparer.Ordinal))
        {
            names.Add(name);
        }

        return names;
    }

    /// <summary>Asks a class.</summary>
    /// <param name="variant">Its name.</param>
    /// <param name="checkpoint">The sample's checkpoint.</param>
    /// <param name="options">How it is loaded; null for single precision on the CPU.</param>
    /// <param name="picture">A picture of the sample.</param>
    public static async Task<SampleAnswer> Of(string variant, Checkpoint checkpoint, ModelOptions? options, string picture = "pair.png")
    {
        MethodInfo load = typeof(DenseShapes).Assembly.GetType(typeof(DenseShapes).Namespace + "." + variant)!.GetMethod("Load", [typeof(Checkpoint), typeof(ModelOptions)])!;
        using var model = (VisionLanguageModel)load.Invoke(null, [checkpoint, options])!;
        using Sequence sequence = model.CreateSequence(200);
        Imaging.DecodedImage image = Imaging.ImageDecoder.Load(RepositoryFolder.Combine("samples", "images", picture));
        string answer = "";
        var logits = new List<float[]>();
        await foreach (string text in model.AnswerAsync(sequence, image, "where is the yellow square ?", new AnswerOptions { MaxNewTokens = 2 }))
        {
            answer += text;
            logits.Add(sequence.Logits.ToArray());
        }

        logits.Add(sequence.Logits.ToArray());
        return new SampleAnswer(answer, logits);
    }
}

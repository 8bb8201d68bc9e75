using Espalier.Extensions.AI;
using Espalier.Samples.Shapes.Variants;
using Microsoft.Extensions.AI;

namespace Espalier.Tests;

/// <summary>The sample model and its pictures, as a user of chat clients has them.</summary>
public sealed class Shapes : IDisposable
{
    public const string Color = "what color is the circle ?";

    private static readonly string Images = RepositoryFolder.Combine("samples", "images");

    public static string Folder { get; } = RepositoryFolder.Combine("samples", "models", "shapes");

    public Checkpoint Checkpoint { get; } = Checkpoint.Open(Folder);

    public QuickShapes Quick => field ??= QuickShapes.Load(Checkpoint);

    public DenseShapes Dense => field ??= DenseShapes.Load(Checkpoint);

    public PyramidDropShapes Pyramid => field ??= PyramidDropShapes.Load(Checkpoint);

    public static byte[] File(string name) => System.IO.File.ReadAllBytes(Path.Combine(Images, name + ".png"));

    public static DataContent Image(string name) => new(File(name), "image/png");

    public static ChatMessage Ask(string image, string question) => new(ChatRole.User, [Image(image), new TextContent(question)]);

    /// <summary>A conversation: the questions of the user, and what was answered to all but the last.</summary>
    public static List<ChatMessage> Talk(string image, string first, params (string Answer, string Question)[] later)
    {
        List<ChatMessage> messages = [Ask(image, first)];
        foreach ((string answer, string question) in later)
        {
            messages.Add(new ChatMessage(ChatRole.Assistant, answer));
            messages.Add(new ChatMessage(ChatRole.User, question));
        }

        return messages;
    }

    public static AnswerDetails DetailsOf(ChatResponse response) => Assert.IsType<AnswerDetails>(response.RawRepresentation);

    public void Dispose()
    {
        Quick.Dispose();
        Dense.Dispose();
        Pyramid.Dispose();
        Checkpoint.Dispose();
    }
}

using System.CommandLine;
using Espalier.CommandLine;
using Espalier.Evaluation;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>Arguments and options that more than one command takes.</summary>
internal static class SharedOptions
{
    public static Option<string?> Model() => new("--model")
    {
        Description = "The model folder, instead of the sample model. The variants are compiled for the sample model's shapes; a folder with other shapes is refused.",
        HelpName = "folder",
    };

    public static Argument<string> Image() => new("image") { Description = "A picture: PNG, JPEG, WebP, GIF or TIFF, of any size." };

    public static Argument<string> Question() => new("question") { Description = "The question, in quotes. The sample model knows colour, shape, count, presence and place." };

    /// <summary>Loads variants of a model folder; a terminal shows which.</summary>
    public static LoadedCandidates Load(string folder, IReadOnlyList<Candidate> variants) =>
        Terminal.OfProcess.Status("loading", status => LoadedCandidates.Load(folder, variants, new ModelOptions { Device = Device.Auto }, announce: name => status($"loading {name}")));
}

using System.CommandLine;

namespace Espalier.Tool.Commands;

/// <summary>Arguments and options that more than one command takes.</summary>
internal static class SharedOptions
{
    public static Argument<string> Checkpoint() => new("checkpoint") { Description = "A model folder, as Hugging Face has it: config.json, tokenizer.json, safetensors files." };

    public static Option<string[]> Policies() => new("--policy", "-p")
    {
        Description = "A policy as C# attributes, in quotes: '[FastV(K = 2, R = 0.5)] [Vtw(K = 20)]'. May be given several times.",
        HelpName = "attributes",
        DefaultValueFactory = static _ => [],
    };

    public static Option<string?> Policy() => new("--policy", "-p")
    {
        Description = "The policy as C# attributes, in quotes: '[FastV(K = 2, R = 0.5)]'. Without it the model is dense.",
        HelpName = "attributes",
    };

    public static Option<Precision> Precision() => new("--precision")
    {
        Description = "The number format of the linear layers.",
        HelpName = string.Join('|', PrecisionNames),
        DefaultValueFactory = static _ => Espalier.Precision.Float32,
        CustomParser = static result =>
        {
            string text = result.Tokens[0].Value;
            if (!Enum.GetNames<Precision>().Contains(text, StringComparer.OrdinalIgnoreCase))
            {
                result.AddError($"--precision is one of {string.Join(", ", PrecisionNames)}, not {text}.");
                return default;
            }

            return Enum.Parse<Precision>(text, ignoreCase: true);
        },
    };

    private static IEnumerable<string> PrecisionNames => Enum.GetNames<Precision>().Select(static name => name.ToLowerInvariant());

    public static Option<bool> Json() => new("--json") { Description = "Prints the result as JSON." };

    public static Option<int> TextPositions() => Espalier.CommandLine.NumberOption.Create(
        "--text-positions", "Positions for the text of a question and its answer; more take more memory.", static value => value >= 16, "is a whole number of at least 16", Evaluation.LoadedCandidates.DefaultTextPositions);
}

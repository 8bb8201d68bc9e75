using System.CommandLine;
using Espalier.CommandLine;
using Microsoft.CodeAnalysis.CSharp;

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

    public static Option<Precision> Precision() => ChoiceOption.Create(
        "--precision", "The number format of the linear layers.", [.. Enum.GetValues<Precision>().Select(static value => (value.ToString().ToLowerInvariant(), value))], "float32");

    public static Option<string> ClassName(string fallback)
    {
        Option<string> name = new("--class") { Description = "The class of the declaration.", HelpName = "name", DefaultValueFactory = _ => fallback };
        name.Validators.Add(static result =>
        {
            string? text = result.GetValueOrDefault<string>();
            if (!SyntaxFacts.IsValidIdentifier(text) || SyntaxFacts.GetKeywordKind(text!) != SyntaxKind.None)
            {
                result.AddError($"--class is a C# identifier, not {text}.");
            }
        });
        return name;
    }

    public static Option<bool> Json() => new("--json") { Description = "Prints the result as JSON." };

    public static Option<int> TextPositions() => NumberOption.Create(
        "--text-positions", "Positions for the text of a question and its answer; more take more memory.", static value => value >= 16, "is a whole number of at least 16", Evaluation.LoadedCandidates.DefaultTextPositions);
}

using System.CommandLine;

namespace Espalier.CommandLine;

/// <summary>Options that take one of a few names, in upper or lower case.</summary>
internal static class ChoiceOption
{
    /// <summary>Makes such an option.</summary>
    /// <param name="name">The name, with its hyphens.</param>
    /// <param name="description">For the help.</param>
    /// <param name="choices">What may be named, and what each means.</param>
    /// <param name="fallback">The name that holds if the option is left out.</param>
    public static Option<T> Create<T>(string name, string description, IReadOnlyList<(string Name, T Value)> choices, string fallback)
    {
        Option<T> option = new(name)
        {
            Description = description,
            HelpName = string.Join('|', choices.Select(static choice => choice.Name)),
            DefaultValueFactory = _ => choices.First(choice => choice.Name == fallback).Value,
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                foreach ((string known, T value) in choices)
                {
                    if (string.Equals(known, text, StringComparison.OrdinalIgnoreCase))
                    {
                        return value;
                    }
                }

                result.AddError($"{name} is one of {string.Join(", ", choices.Select(static choice => choice.Name))}, not {text}.");
                return default;
            },
        };
        option.CompletionSources.Add([.. choices.Select(static choice => choice.Name)]);
        return option;
    }
}

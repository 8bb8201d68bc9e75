using System.CommandLine;
using System.Globalization;

namespace Espalier.CommandLine;

/// <summary>Options that take a number of a range.</summary>
internal static class NumberOption
{
    /// <summary>Makes such an option.</summary>
    /// <param name="name">The name, with its hyphens.</param>
    /// <param name="description">For the help.</param>
    /// <param name="allowed">What a number must satisfy.</param>
    /// <param name="requirement">The same in words, behind the option's name.</param>
    /// <param name="fallback">The value if the option is left out.</param>
    public static Option<T> Create<T>(string name, string description, Predicate<T> allowed, string requirement, T fallback)
        where T : struct, IParsable<T> => new(name)
        {
            Description = description,
            HelpName = "number",
            DefaultValueFactory = _ => fallback,
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (!T.TryParse(text, CultureInfo.InvariantCulture, out T value) || !allowed(value))
                {
                    result.AddError($"{name} {requirement}, not {text}.");
                }

                return value;
            },
        };
}

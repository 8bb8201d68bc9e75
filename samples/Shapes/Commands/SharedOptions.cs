using System.CommandLine;
using System.Globalization;

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

    /// <summary>An option that takes a number of a range.</summary>
    /// <param name="name">The name, with its hyphens.</param>
    /// <param name="description">For the help.</param>
    /// <param name="allowed">What a number must satisfy.</param>
    /// <param name="requirement">The same in words, behind the option's name.</param>
    /// <param name="fallback">The value if the option is left out.</param>
    public static Option<T> Number<T>(string name, string description, Predicate<T> allowed, string requirement, T fallback)
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

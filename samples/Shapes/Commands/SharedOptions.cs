using System.CommandLine;

namespace Espalier.Samples.Shapes.Commands;

/// <summary>Arguments and options that more than one command takes.</summary>
internal static class SharedOptions
{
    public static Option<string> Model() => new("--model")
    {
        Description = "The model folder. The variants are compiled for the shapes of the sample model; a folder with other shapes is refused.",
        HelpName = "folder",
        DefaultValueFactory = _ => Folders.Model,
    };

    public static Argument<string> Image() => new("image") { Description = "A picture: PNG, JPEG, WebP, GIF or TIFF, of any size." };

    public static Argument<string> Question() => new("question") { Description = "The question, in quotes. The sample model knows colour, shape, count, presence and place." };

    /// <summary>Reports a number below the smallest one as a wrong command line.</summary>
    public static Option<T> AtLeast<T>(this Option<T> option, T smallest)
        where T : IComparable<T>
    {
        option.Validators.Add(result =>
        {
            // A value that does not parse has its own error already.
            if (result.Tokens.Count > 0 && !result.Errors.Any() && result.GetValueOrDefault<T>() is { } value && value.CompareTo(smallest) < 0)
            {
                result.AddError($"{option.Name} is at least {smallest}, not {value}.");
            }
        });
        return option;
    }
}

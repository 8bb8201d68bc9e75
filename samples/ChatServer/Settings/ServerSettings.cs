using System.Globalization;

namespace Espalier.Samples.ChatServer.Settings;

/// <summary>Where the model is and what a request may take. Read from the command line (<c>--queue 8</c>) or the environment (<c>ChatServer__Queue=8</c>).</summary>
internal sealed record ServerSettings
{
    /// <summary>The command line's names of the settings.</summary>
    public static Dictionary<string, string> Switches { get; } = new(StringComparer.OrdinalIgnoreCase)
    {
        ["--model"] = "ChatServer:Model",
        ["--variants"] = "ChatServer:Variants",
        ["--running"] = "ChatServer:Running",
        ["--queue"] = "ChatServer:Queue",
        ["--body-bytes"] = "ChatServer:BodyBytes",
        ["--image-bytes"] = "ChatServer:ImageBytes",
        ["--image-pixels"] = "ChatServer:ImagePixels",
        ["--text-length"] = "ChatServer:TextLength",
        ["--answer-tokens"] = "ChatServer:AnswerTokens",
        ["--body-seconds"] = "ChatServer:BodySeconds",
        ["--drain-seconds"] = "ChatServer:DrainSeconds",
    };

    /// <summary>The model's folder.</summary>
    public string Model { get; private init; } = Path.Combine(AppContext.BaseDirectory, "models", "shapes");

    /// <summary>The variants to serve; all if it is empty.</summary>
    public IReadOnlyList<string> Variants { get; private init; } = [];

    /// <summary>Answers that are generated at the same time.</summary>
    public int Running { get; private init; } = 2;

    /// <summary>Requests that wait for one of these places; more are refused.</summary>
    public int Queue { get; private init; } = 16;

    /// <summary>The longest body of a request. An image in a data URL takes four thirds of its bytes.</summary>
    public int BodyBytes { get; private init; } = 16 << 20;

    /// <summary>The longest image file.</summary>
    public int ImageBytes { get; private init; } = 8 << 20;

    /// <summary>The most pixels of an image.</summary>
    public int ImagePixels { get; private init; } = 32 << 20;

    /// <summary>The most characters of all texts of a request.</summary>
    public int TextLength { get; private init; } = 16_384;

    /// <summary>The most tokens of an answer.</summary>
    public int AnswerTokens { get; private init; } = 256;

    /// <summary>How long the body of a request may take to arrive.</summary>
    public int BodySeconds { get; private init; } = 30;

    /// <summary>How long running answers get to end when the server is told to stop.</summary>
    public int DrainSeconds { get; private init; } = 25;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="SettingException">A value is no number in its range.</exception>
    public static ServerSettings Read(IConfiguration configuration)
    {
        IConfigurationSection section = configuration.GetSection("ChatServer");
        ServerSettings defaults = new();
        return new ServerSettings
        {
            Model = section["Model"] ?? defaults.Model,
            Variants = section["Variants"]?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
            Running = Number(section, "Running", defaults.Running, 1, 1024),
            Queue = Number(section, "Queue", defaults.Queue, 0, 65_536),
            BodyBytes = Number(section, "BodyBytes", defaults.BodyBytes, 1024, 1 << 30),
            ImageBytes = Number(section, "ImageBytes", defaults.ImageBytes, 1, 1 << 30),
            ImagePixels = Number(section, "ImagePixels", defaults.ImagePixels, 1, 1 << 29),
            TextLength = Number(section, "TextLength", defaults.TextLength, 1, 1 << 24),
            AnswerTokens = Number(section, "AnswerTokens", defaults.AnswerTokens, 1, 1 << 20),
            BodySeconds = Number(section, "BodySeconds", defaults.BodySeconds, 1, 3600),
            DrainSeconds = Number(section, "DrainSeconds", defaults.DrainSeconds, 0, 3600),
        };
    }

    private static int Number(IConfigurationSection section, string name, int value, int least, int most)
    {
        if (section[name] is not { } text)
        {
            return value;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw new SettingException($"The setting ChatServer:{name} is \"{text}\"; it is a number from {least} to {most}.");
    }
}

/// <summary>A setting with which the server cannot start.</summary>
internal sealed class SettingException(string message) : Exception(message);

using Espalier.Planning;

namespace Espalier;

/// <summary>Reads <see cref="GenerationDefaults"/>.</summary>
internal static class GenerationDefaultsReader
{
    private const int MostEosTokens = 256;

    /// <param name="configPath">Path of config.json, which was read before without a problem.</param>
    /// <param name="config">Its text.</param>
    /// <param name="generationPath">Path of generation_config.json.</param>
    /// <param name="generation">Its text, or null if there is no such file.</param>
    /// <param name="family">Family of the decoder; LlamaConfig has default ids.</param>
    public static GenerationDefaults Read(string configPath, string config, string generationPath, string? generation, TextFamily family)
    {
        ConfigSection model = Parse(configPath, config);
        ConfigSection text = model.Section("text_config");
        ConfigSection own = generation is null ? model : Parse(generationPath, generation);

        // transformers 4 keeps the ids of the decoder in config.json; generation_config.json wins where both speak.
        IReadOnlyList<int>? eos = Tokens(own, "eos_token_id") ?? Tokens(model, "eos_token_id") ?? Tokens(text, "eos_token_id");
        IReadOnlyList<int>? bos = Tokens(own, "bos_token_id") ?? Tokens(model, "bos_token_id") ?? Tokens(text, "bos_token_id");
        bool llama = family == TextFamily.Llama;
        var defaults = new GenerationDefaults
        {
            EosTokenIds = eos ?? (llama ? [2] : []),
            BosTokenId = bos is { Count: > 0 } ? bos[0] : llama ? 1 : null,
            Sample = own.Flag("do_sample", false),
            Temperature = Fraction(own, "temperature", 1e-3, 1e3),
            TopP = Fraction(own, "top_p", 0, 1),
            TopK = Whole(own, "top_k", 0, int.MaxValue),
            MaxNewTokens = Whole(own, "max_new_tokens", 1, int.MaxValue),
        };
        ThrowIfBroken(configPath, model);
        ThrowIfBroken(generationPath, own);
        return defaults;
    }

    private static ConfigSection Parse(string path, string json)
    {
        ConfigValue? root = ConfigParser.Parse(json, out GeometryProblem? problem);
        return root is null ? throw ConfigException.For(path, problem!) : ConfigSection.Root(root);
    }

    private static void ThrowIfBroken(string path, ConfigSection section)
    {
        if (section.Problem is { } problem)
        {
            throw ConfigException.For(path, problem);
        }
    }

    /// <summary>One id or a list of ids; null if the field is absent.</summary>
    private static IReadOnlyList<int>? Tokens(ConfigSection section, string name)
    {
        ConfigValue? value = section.NonNull(name);
        if (value is null)
        {
            return null;
        }

        if (value.Kind != ConfigKind.Array)
        {
            return [section.Integer(name, 0, 0, int.MaxValue)];
        }

        var ids = new List<int>();
        foreach (ConfigValue item in value.Items)
        {
            if (ids.Count == MostEosTokens || !item.TryGetInteger(out long id) || id is < 0 or > int.MaxValue)
            {
                section.Report(GeometryRule.WrongType, name, "It must be a token id or a list of at most 256 of them.");
                break;
            }

            ids.Add((int)id);
        }

        return ids;
    }

    /// <summary>A temperature of 0 is how some configs say greedy; it is read as no temperature.</summary>
    private static float? Fraction(ConfigSection section, string name, double min, double max)
    {
        if (section.NonNull(name) is not { } value || (name == "temperature" && value.TryGetNumber(out double number) && number == 0))
        {
            return null;
        }

        return section.Number(name, 1, min, max);
    }

    private static int? Whole(ConfigSection section, string name, int min, int max)
        => section.NonNull(name) is null ? null : section.Integer(name, min, min, max);
}

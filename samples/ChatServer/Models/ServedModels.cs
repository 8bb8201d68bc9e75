using Espalier.Evaluation;
using Espalier.Extensions.AI;
using Espalier.Imaging;
using Espalier.Samples.ChatServer.Errors;
using Espalier.Samples.ChatServer.Settings;
using Espalier.Samples.Shapes;

namespace Espalier.Samples.ChatServer.Models;

/// <summary>The variants that the server answers with, over one checkpoint.</summary>
/// <remarks>Thread-safe. Loaded once, by <see cref="ModelLoader"/>.</remarks>
internal sealed class ServedModels : IDisposable
{
    private readonly ServerSettings _settings;
    private readonly List<IDisposable> _owned = [];
    private volatile Dictionary<string, ServedModel>? _models;

    public ServedModels(ServerSettings settings)
    {
        _settings = settings;
        string? unknown = settings.Variants.FirstOrDefault(name => !Variant.All.Any(variant => variant.Name == name));
        Declared = unknown is not null
            ? throw new SettingException($"There is no variant \"{unknown}\". The variants are {string.Join(", ", Variant.All.Select(variant => variant.Name))}.")
            : [.. Variant.All.Where(variant => settings.Variants.Count == 0 || settings.Variants.Contains(variant.Name))];
    }

    /// <summary>The variants to serve, loaded or not.</summary>
    public IReadOnlyList<Candidate> Declared { get; }

    /// <summary>True once all are loaded.</summary>
    public bool IsLoaded => _models is not null;

    /// <summary>When they were loaded, in Unix seconds.</summary>
    public long LoadedAt { get; private set; }

    /// <summary>Loads all variants.</summary>
    public void Load(CancellationToken cancellationToken)
    {
        Checkpoint checkpoint = Own(Checkpoint.Open(_settings.Model));
        var models = new Dictionary<string, ServedModel>(StringComparer.Ordinal);
        foreach (Candidate variant in Declared)
        {
            VisionLanguageModel model = Own(variant.Load(checkpoint, new ModelOptions { CancellationToken = cancellationToken }));
            EspalierChatClient client = Own(new EspalierChatClient(model, new EspalierChatClientOptions
            {
                ModelId = variant.Name,
                MaximumSequences = _settings.Running,
                MaximumTextLength = _settings.TextLength,
                MaximumOutputTokens = _settings.AnswerTokens,
                ImageLimits = new ImageLimits { MaximumBytes = _settings.ImageBytes, MaximumPixels = _settings.ImagePixels },
            }));
            models.Add(variant.Name, new ServedModel(variant, client));
        }

        LoadedAt = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        _models = models;
    }

    /// <summary>The model of a name.</summary>
    /// <exception cref="ApiException">There is none, or the models are not loaded yet.</exception>
    public ServedModel Named(string name)
    {
        Dictionary<string, ServedModel> models = _models ?? throw ApiException.NotReady("The models are being loaded.");
        return models.GetValueOrDefault(name) ?? throw ApiException.UnknownModel(name, models.Keys);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Clients before their models, and the checkpoint last.
        for (int i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}

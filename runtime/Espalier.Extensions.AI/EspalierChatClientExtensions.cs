using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Espalier.Extensions.AI;

/// <summary>Makes chat clients of models, and registers them.</summary>
public static class EspalierChatClientExtensions
{
    /// <summary>Makes a chat client of a model.</summary>
    /// <param name="model">The model; the caller owns it.</param>
    /// <param name="options">Limits and defaults; null is the defaults.</param>
    /// <returns>The client, to be disposed by the caller.</returns>
    public static IChatClient AsIChatClient(this VisionLanguageModel model, EspalierChatClientOptions? options = null) => new EspalierChatClient(model, options);

    /// <summary>Registers a checkpoint that is opened when it is first needed and closed with the container.</summary>
    /// <param name="services">The services.</param>
    /// <param name="folder">The checkpoint folder.</param>
    public static IServiceCollection AddEspalierCheckpoint(this IServiceCollection services, string folder)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return services.AddSingleton(_ => Checkpoint.Open(folder));
    }

    /// <summary>Registers a declared class over the registered checkpoint, and a chat client of it. Both are made when they are first needed, and disposed with the container.</summary>
    /// <typeparam name="TModel">The declared class.</typeparam>
    /// <param name="services">The services; <see cref="AddEspalierCheckpoint"/> belongs to them.</param>
    /// <param name="load">The generated factory of the class, <c>QuickShapes.Load</c>.</param>
    /// <param name="options">Limits and defaults; null is the defaults.</param>
    /// <param name="modelOptions">Device and precision; null is the defaults.</param>
    public static IServiceCollection AddEspalierChatClient<TModel>(
        this IServiceCollection services,
        Func<Checkpoint, ModelOptions?, TModel> load,
        EspalierChatClientOptions? options = null,
        ModelOptions? modelOptions = null)
        where TModel : VisionLanguageModel
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(load);
        return services
            .AddSingleton(provider => load(provider.GetRequiredService<Checkpoint>(), modelOptions))
            .AddSingleton<IChatClient>(provider => new EspalierChatClient(provider.GetRequiredService<TModel>(), options));
    }

    /// <summary>As <see cref="AddEspalierChatClient"/>, under a key: several variants of one checkpoint beside each other.</summary>
    /// <typeparam name="TModel">The declared class, or a base of it.</typeparam>
    /// <param name="services">The services; <see cref="AddEspalierCheckpoint"/> belongs to them.</param>
    /// <param name="key">The key of model and client.</param>
    /// <param name="load">The generated factory of the class.</param>
    /// <param name="options">Limits and defaults; null is the defaults.</param>
    /// <param name="modelOptions">Device and precision; null is the defaults.</param>
    public static IServiceCollection AddKeyedEspalierChatClient<TModel>(
        this IServiceCollection services,
        object key,
        Func<Checkpoint, ModelOptions?, TModel> load,
        EspalierChatClientOptions? options = null,
        ModelOptions? modelOptions = null)
        where TModel : VisionLanguageModel
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(load);
        return services
            .AddKeyedSingleton(key, (provider, _) => load(provider.GetRequiredService<Checkpoint>(), modelOptions))
            .AddKeyedSingleton<IChatClient>(key, (provider, _) => new EspalierChatClient(provider.GetRequiredKeyedService<TModel>(key), options));
    }
}

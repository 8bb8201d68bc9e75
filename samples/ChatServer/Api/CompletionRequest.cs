using System.Text.Json;

namespace Espalier.Samples.ChatServer.Api;

/// <summary>The body of <c>POST /v1/chat/completions</c>. Fields that are not here change no answer and are ignored.</summary>
internal sealed record CompletionRequest
{
    public string? Model { get; init; }

    public List<RequestMessage?>? Messages { get; init; }

    public bool? Stream { get; init; }

    public StreamOptions? StreamOptions { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public long? Seed { get; init; }

    /// <summary>A string, or a list of strings.</summary>
    public JsonElement? Stop { get; init; }

    public int? MaxTokens { get; init; }

    public int? MaxCompletionTokens { get; init; }

    public int? N { get; init; }

    public float? FrequencyPenalty { get; init; }

    public float? PresencePenalty { get; init; }

    public bool? Logprobs { get; init; }

    public JsonElement? LogitBias { get; init; }

    public JsonElement? Tools { get; init; }

    public JsonElement? Functions { get; init; }

    public JsonElement? ResponseFormat { get; init; }

    /// <summary>An addition to OpenAI's: the answer tells which visual tokens survived each segment.</summary>
    public bool? VisualTokens { get; init; }
}

/// <summary>A message: its content is a string, or a list of parts.</summary>
internal sealed record RequestMessage(string? Role, JsonElement? Content);

/// <summary>What a stream tells beside the answer.</summary>
internal sealed record StreamOptions(bool? IncludeUsage);

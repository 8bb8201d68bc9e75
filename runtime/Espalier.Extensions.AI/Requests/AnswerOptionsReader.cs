using System.Globalization;
using Microsoft.Extensions.AI;

namespace Espalier.Extensions.AI;

/// <summary>Reads <see cref="ChatOptions"/>. What would change the answer and is not implemented is refused, never ignored.</summary>
internal static class AnswerOptionsReader
{
    /// <summary>Reads options.</summary>
    /// <param name="options">The request's options; null leaves the defaults.</param>
    /// <param name="limits">Defaults and limits.</param>
    /// <param name="modelId">The client's model.</param>
    /// <exception cref="ChatRequestException">A value is out of range, or asks for what is not implemented.</exception>
    public static AnswerOptions Read(ChatOptions? options, EspalierChatClientOptions limits, string modelId)
    {
        AnswerOptions answer = limits.Defaults;
        if (options is not null)
        {
            Refuse(options, modelId);
            answer = Apply(options, answer);
        }

        return limits.MaximumOutputTokens is { } maximum && answer.MaxNewTokens > maximum
            ? options?.MaxOutputTokens is null
                ? answer with { MaxNewTokens = maximum }
                : throw new ChatRequestException(ChatRequestFault.InvalidOption, $"The option MaxOutputTokens is {answer.MaxNewTokens}; at most {maximum} are given.") { Option = nameof(ChatOptions.MaxOutputTokens) }
            : answer;
    }

    private static AnswerOptions Apply(ChatOptions options, AnswerOptions defaults)
    {
        try
        {
            float temperature = options.Temperature ?? defaults.Temperature;
            return defaults with
            {
                Temperature = temperature,
                TopP = options.TopP ?? defaults.TopP,
                MaxNewTokens = options.MaxOutputTokens ?? defaults.MaxNewTokens,
                StopSequences = options.StopSequences is { } stops ? [.. stops] : defaults.StopSequences,

                // Without a seed, two samples differ; with the default, greedy decoding, it is not used.
                Seed = options.Seed is { } seed ? unchecked((ulong)seed) : temperature > 0f && defaults.Seed == 0 ? unchecked((ulong)Random.Shared.NextInt64()) : defaults.Seed,
            };
        }
        catch (ArgumentException problem)
        {
            // What the runtime calls MaxNewTokens has another name here; what .NET adds to a message helps no caller of a request.
            string option = problem.ParamName is null or nameof(AnswerOptions.MaxNewTokens) ? nameof(ChatOptions.MaxOutputTokens) : problem.ParamName;
            object? value = (problem as ArgumentOutOfRangeException)?.ActualValue;
            string reason = problem.Message.Split(" (Parameter '")[0];
            throw new ChatRequestException(
                ChatRequestFault.InvalidOption, string.Create(CultureInfo.InvariantCulture, $"The option {option}{(value is null ? "" : " is ")}{value}{(value is null ? ": " : ". ")}{reason}"), problem) { Option = option };
        }
    }

    private static void Refuse(ChatOptions options, string modelId)
    {
        if (options.ModelId is { } asked && asked != modelId)
        {
            throw new ChatRequestException(ChatRequestFault.UnknownModel, $"The request asks for another model than \"{modelId}\", the only one of this client.") { Option = nameof(ChatOptions.ModelId) };
        }

        string? unsupported = options switch
        {
            { Tools.Count: > 0, ToolMode: not NoneChatToolMode } => "Tools: the model cannot call any",
            { ResponseFormat: not null and not ChatResponseFormatText } => "ResponseFormat: answers are text",
            { TopK: not null } => "TopK: sampling is by Temperature and TopP",
            { FrequencyPenalty: not null and not 0f } => "FrequencyPenalty: sampling is by Temperature and TopP",
            { PresencePenalty: not null and not 0f } => "PresencePenalty: sampling is by Temperature and TopP",
            { ConversationId: not null } => "ConversationId: every request brings its whole conversation",
            _ => null,
        };
        if (unsupported is not null)
        {
            throw new ChatRequestException(ChatRequestFault.UnsupportedOption, $"The option {unsupported}.") { Option = unsupported.Split(':')[0] };
        }
    }
}

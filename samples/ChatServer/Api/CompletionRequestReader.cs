using System.Text.Json;
using Espalier.Samples.ChatServer.Errors;
using Microsoft.Extensions.AI;

namespace Espalier.Samples.ChatServer.Api;

/// <summary>Reads the body of a request into messages and options. What would change the answer and is not served is refused.</summary>
internal static class CompletionRequestReader
{
    /// <summary>Parses a body.</summary>
    /// <exception cref="ApiException">It is no JSON, or a field has another type than OpenAI's.</exception>
    public static async Task<CompletionRequest> ParseAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasJsonContentType())
        {
            throw ApiException.Invalid("invalid_content_type", "The body is application/json.", status: StatusCodes.Status415UnsupportedMediaType);
        }

        try
        {
            return await JsonSerializer.DeserializeAsync(request.Body, ApiJson.Default.CompletionRequest, cancellationToken)
                ?? throw ApiException.Invalid("invalid_json", "The body is null; it is an object.");
        }
        catch (JsonException problem)
        {
            throw ApiException.Invalid("invalid_json", $"The body is not the JSON of a request: at {ApiException.Shorten(problem.Path ?? "$")}, line {problem.LineNumber + 1}.", problem.Path);
        }
    }

    /// <summary>The options of a request.</summary>
    /// <exception cref="ApiException">It asks for what is not served.</exception>
    public static ChatOptions Options(CompletionRequest request)
    {
        string? unsupported = request switch
        {
            { N: not null and not 1 } => "n",
            { Logprobs: true } => "logprobs",
            { LogitBias: { } bias } when IsGiven(bias) => "logit_bias",
            { Tools: { } tools } when IsGiven(tools) => "tools",
            { Functions: { } functions } when IsGiven(functions) => "functions",
            { ResponseFormat: { } format } when !IsText(format) => "response_format",
            _ => null,
        };
        if (unsupported is not null)
        {
            throw ApiException.Invalid("unsupported_option", $"\"{unsupported}\" is not served: there is one answer of plain text. Leave the field out.", unsupported);
        }

        return new ChatOptions
        {
            Temperature = request.Temperature,
            TopP = request.TopP,
            Seed = request.Seed,
            MaxOutputTokens = request.MaxCompletionTokens ?? request.MaxTokens,
            FrequencyPenalty = request.FrequencyPenalty,
            PresencePenalty = request.PresencePenalty,
            StopSequences = request.Stop is { } stop ? Stops(stop) : null,
        };
    }

    /// <summary>The messages of a request.</summary>
    /// <exception cref="ApiException">One has no role, or content of another shape.</exception>
    public static List<ChatMessage> Messages(CompletionRequest request)
    {
        var messages = new List<ChatMessage>();
        foreach (RequestMessage? message in request.Messages ?? throw ApiException.Invalid("missing_field", "\"messages\" is missing.", "messages"))
        {
            string param = $"messages[{messages.Count}]";
            string role = message?.Role ?? throw ApiException.Invalid("missing_field", $"{param} has no role.", param);
            messages.Add(new ChatMessage(role == "developer" ? ChatRole.System : new ChatRole(role.Length == 0 ? "?" : role), Contents(message.Content ?? default, param + ".content")));
        }

        return messages;
    }

    private static List<AIContent> Contents(JsonElement content, string param)
    {
        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                return [new TextContent(Text(content, param))];
            case JsonValueKind.Array:
                var contents = new List<AIContent>();
                foreach (JsonElement part in content.EnumerateArray())
                {
                    contents.Add(Part(part, $"{param}[{contents.Count}]"));
                }

                return contents;
            default:
                throw ApiException.Invalid("invalid_field", $"{param} is a text or a list of parts.", param);
        }
    }

    private static AIContent Part(JsonElement part, string param)
    {
        string type = Field(part, "type", param);
        switch (type)
        {
            case "text":
                return new TextContent(Field(part, "text", param));
            case "image_url":
                JsonElement image = part.TryGetProperty("image_url", out JsonElement found) ? found : throw Missing("image_url", param);
                return DataUrl.Parse(Field(image, "url", param + ".image_url"), param + ".image_url.url");
            default:
                throw ApiException.Invalid("unsupported_content", $"{param} is of the type \"{ApiException.Shorten(type)}\"; known are text and image_url.", param);
        }
    }

    // A field that is a text.
    private static string Field(JsonElement part, string name, string param) =>
        part.ValueKind == JsonValueKind.Object && part.TryGetProperty(name, out JsonElement field) ? Text(field, $"{param}.{name}") : throw Missing(name, param);

    private static string Text(JsonElement field, string param)
    {
        try
        {
            return field.ValueKind == JsonValueKind.String ? field.GetString()! : throw ApiException.Invalid("invalid_field", $"{param} is a text.", param);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, written as an escape.
            throw ApiException.Invalid("invalid_field", $"{param} is not valid Unicode.", param);
        }
    }

    private static ApiException Missing(string name, string param) => ApiException.Invalid("missing_field", $"{param} has no \"{name}\".", param);

    private static List<string> Stops(JsonElement stop)
    {
        JsonElement[] all = stop.ValueKind == JsonValueKind.Null ? [] : stop.ValueKind == JsonValueKind.Array ? [.. stop.EnumerateArray()] : [stop];
        return [.. all.Select(static text => Text(text, "stop"))];
    }

    private static bool IsGiven(JsonElement field) => field.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => false,
        JsonValueKind.Array => field.GetArrayLength() > 0,
        JsonValueKind.Object => field.EnumerateObject().Any(),
        _ => true,
    };

    private static bool IsText(JsonElement format) =>
        format.ValueKind == JsonValueKind.Null || (format.ValueKind == JsonValueKind.Object && format.TryGetProperty("type", out JsonElement type) && type.ValueEquals("text"));
}

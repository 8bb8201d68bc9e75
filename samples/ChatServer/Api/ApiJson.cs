using System.Text.Json;
using System.Text.Json.Serialization;
using Espalier.Samples.ChatServer.Errors;

namespace Espalier.Samples.ChatServer.Api;

/// <summary>The JSON of the interface, compiled: a native program has no reflection to read it with.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 32)]
[JsonSerializable(typeof(CompletionRequest))]
[JsonSerializable(typeof(Completion))]
[JsonSerializable(typeof(CompletionChunk))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ModelEntry))]
[JsonSerializable(typeof(HealthStatus))]
internal sealed partial class ApiJson : JsonSerializerContext;

/// <summary>OpenAI's error.</summary>
internal sealed record ErrorBody(ErrorDetail Error)
{
    public static ErrorBody Of(ApiException problem) => new(new ErrorDetail(problem.Message, problem.Type, problem.Param, problem.Code));
}

/// <summary>What is wrong with a request.</summary>
internal sealed record ErrorDetail(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    string Code);

/// <summary>The models of the server.</summary>
internal sealed record ModelList(string Object, IReadOnlyList<ModelEntry> Data);

/// <summary>A model, and what its plan does.</summary>
/// <param name="Id">The variant's name.</param>
/// <param name="Object">Always <c>model</c>.</param>
/// <param name="Created">When it was loaded, in Unix seconds.</param>
/// <param name="OwnedBy">Always <c>espalier</c>.</param>
/// <param name="VisualTokens">Visual tokens by segment, for people.</param>
/// <param name="FlopsOfDense">Operations of a prefill with 64 text tokens, as a share of the model without a policy (convention C).</param>
internal sealed record ModelEntry(string Id, string Object, long Created, string OwnedBy, string VisualTokens, double FlopsOfDense);

/// <summary>Whether the server takes requests.</summary>
internal sealed record HealthStatus(string Status);

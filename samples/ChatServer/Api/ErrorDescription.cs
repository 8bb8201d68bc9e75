using System.Text.Json;
using Espalier.Extensions.AI;
using Espalier.Imaging;
using Espalier.Samples.ChatServer.Errors;
using Espalier.Text;
using Microsoft.Extensions.AI;

namespace Espalier.Samples.ChatServer.Api;

/// <summary>Says what a client is told of an exception.</summary>
internal static partial class ErrorDescription
{
    /// <summary>The error that tells a client of an exception. What is not the client's doing is logged and not told.</summary>
    public static ApiException Of(Exception problem, ILogger log)
    {
        switch (problem)
        {
            case ApiException told:
                return told;
            case ChatRequestException { Fault: var fault, Option: { } option }:
                string field = option == nameof(ChatOptions.MaxOutputTokens) ? "max_tokens" : option == nameof(ChatOptions.StopSequences) ? "stop" : JsonNamingPolicy.SnakeCaseLower.ConvertName(option);
                return ApiException.Invalid(JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString()), problem.Message.Replace("The option " + option, $"\"{field}\"", StringComparison.Ordinal), field);
            case ChatRequestException { Fault: var fault }:
                return ApiException.Invalid(JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString()), problem.Message, "messages");
            case ImageException { Fault: not (ImageFault.LibraryUnavailable or ImageFault.Unreadable) and var fault }:
                return ApiException.Invalid(fault == ImageFault.TooLarge ? "image_too_large" : "invalid_image", problem.Message, "messages");
            case PromptTooLongException:
                return ApiException.Invalid("context_length_exceeded", problem.Message, "messages");
            case TokenizerException { Error: TokenizerError.SpecialTokenInText or TokenizerError.TooLarge or TokenizerError.PatternTimeout }:
                // The message would name a file of the server's.
                return ApiException.Invalid("invalid_text", "The text cannot be encoded: it spells a special token of the model, or takes too long.", "messages");
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return ApiException.Invalid("body_too_large", "The body is larger than this server accepts. Send a smaller image.", status: StatusCodes.Status413PayloadTooLarge);
            case BadHttpRequestException bad:
                return ApiException.Invalid("invalid_body", "The body could not be read.", status: bad.StatusCode);
            case ObjectDisposedException:
                return ApiException.NotReady("The server is stopping.");
            default:
                Unexpected(log, problem);
                return new ApiException(StatusCodes.Status500InternalServerError, "server_error", "internal_error", "The server failed; its log has the reason.");
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A request failed")]
    private static partial void Unexpected(ILogger log, Exception problem);
}

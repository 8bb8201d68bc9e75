namespace Espalier.Samples.ChatServer.Errors;

/// <summary>A request that gets an error in OpenAI's shape.</summary>
internal sealed class ApiException(int status, string type, string code, string message, string? param = null) : Exception(message)
{
    public int Status { get; } = status;

    public string Type { get; } = type;

    public string Code { get; } = code;

    public string? Param { get; } = param;

    /// <summary>Seconds after which the same request may succeed; null if it never will.</summary>
    public int? RetryAfter { get; private init; }

    public static ApiException Invalid(string code, string message, string? param = null, int status = StatusCodes.Status400BadRequest) =>
        new(status, "invalid_request_error", code, message, param);

    public static ApiException UnknownModel(string name, IEnumerable<string> known) =>
        Invalid("model_not_found", $"There is no model \"{Shorten(name)}\". The models are {string.Join(", ", known)}.", "model", StatusCodes.Status404NotFound);

    public static ApiException NotReady(string message) =>
        new(StatusCodes.Status503ServiceUnavailable, "server_error", "not_ready", message) { RetryAfter = 1 };

    public static ApiException QueueFull(int running, int waiting, int retryAfter) =>
        new(StatusCodes.Status429TooManyRequests, "rate_limit_error", "queue_full", $"{running} answers are running and {waiting} requests may wait; all places are taken. Try again in {retryAfter} s.") { RetryAfter = retryAfter };

    /// <summary>What a stranger sent is quoted in part.</summary>
    public static string Shorten(string text) => text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 64), "...");
}

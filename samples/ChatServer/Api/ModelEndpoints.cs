using Espalier.Evaluation;
using Espalier.Planning;
using Espalier.Samples.ChatServer.Errors;
using Espalier.Samples.ChatServer.Models;

namespace Espalier.Samples.ChatServer.Api;

/// <summary><c>GET /v1/models</c>: the declared variants.</summary>
internal static class ModelEndpoints
{
    private const int TextTokens = 64;

    public static void MapModels(this WebApplication app)
    {
        app.MapGet("/v1/models", (RequestDelegate)ListAsync);
        app.MapGet("/v1/models/{id}", (RequestDelegate)OneAsync);
    }

    private static Task ListAsync(HttpContext context)
    {
        ServedModels models = context.RequestServices.GetRequiredService<ServedModels>();
        var list = new ModelList("list", [.. models.Declared.Select(variant => Entry(variant, models.LoadedAt))]);
        return context.Response.WriteAsJsonAsync(list, ApiJson.Default.ModelList);
    }

    private static Task OneAsync(HttpContext context)
    {
        ServedModels models = context.RequestServices.GetRequiredService<ServedModels>();
        string id = (string)context.Request.RouteValues["id"]!;
        Candidate variant = models.Declared.FirstOrDefault(variant => variant.Name == id) ?? throw ApiException.UnknownModel(id, models.Declared.Select(static known => known.Name));
        return context.Response.WriteAsJsonAsync(Entry(variant, models.LoadedAt), ApiJson.Default.ModelEntry);
    }

    private static ModelEntry Entry(Candidate variant, long created)
    {
        double share = variant.Plan.Flops(FlopsConvention.C, TextTokens) / variant.Plan.DenseFlops(FlopsConvention.C, TextTokens);
        return new ModelEntry(variant.Name, "model", created, "espalier", variant.TokensBySegment(" → "), Math.Round(share, 4));
    }
}

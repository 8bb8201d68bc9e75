using System.Diagnostics;
using System.Net.Http.Headers;

namespace Espalier.Tests;

/// <summary>A server of a user's own, of a dozen lines, from the packages. generator/docs/serve.md shows it.</summary>
[Collection(PackedFeed.Collection)]
public sealed class ServerTests(PackedFeed feed)
{
    private const string Program =
        """
        using Espalier;
        using Espalier.Extensions.AI;
        using Microsoft.Extensions.AI;

        WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
        builder.Services.AddEspalierCheckpoint("models/shapes");
        builder.Services.AddEspalierChatClient(Quick.Load);
        WebApplication app = builder.Build();
        app.MapPost("/ask", async (HttpRequest request, string question, IChatClient client) =>
        {
            using var image = new MemoryStream();
            await request.Body.CopyToAsync(image, request.HttpContext.RequestAborted);
            ChatMessage message = new(ChatRole.User, [new DataContent(image.ToArray(), "image/*"), new TextContent(question)]);
            return (await client.GetResponseAsync([message], cancellationToken: request.HttpContext.RequestAborted)).Text;
        });
        app.Run();

        [VisionLanguageModel("shapes")]
        [FastV(K = 2, R = 0.5)]
        public sealed partial class Quick;
        """;

    [Fact]
    public async Task ADozenLinesServe()
    {
        string folder = feed.NewFolder("server");
        Directory.CreateSymbolicLink(Path.Combine(folder, "models"), RepositoryFolder.Combine("samples", "models"));
        File.WriteAllText(Path.Combine(folder, "Program.cs"), Program);
        File.WriteAllText(
            Path.Combine(folder, "Server.csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Espalier" Version="{feed.Version}" />
                <PackageReference Include="Espalier.Extensions.AI" Version="{feed.Version}" />
              </ItemGroup>
              <ItemGroup>
                <EspalierModel Include="models/shapes" />
              </ItemGroup>
            </Project>
            """);
        ChildProcess build = await feed.Dotnet(folder, "build", "-o", "app", "-v", "q");
        Assert.True(build.ExitCode == 0, build.Output + build.Errors);

        var start = new ProcessStartInfo(ChildProcess.DotnetHost, ["app/Server.dll", "--urls", "http://127.0.0.1:0"]) { WorkingDirectory = folder, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        try
        {
            const string Listening = "Now listening on: ";
            string? line;
            do
            {
                line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));
            }
            while (line is not null && !line.Contains(Listening, StringComparison.Ordinal));

            Assert.NotNull(line);
            using var client = new HttpClient();
            using var picture = new ByteArrayContent(await File.ReadAllBytesAsync(RepositoryFolder.Combine("samples", "images", "circle.png")));
            picture.Headers.ContentType = new MediaTypeHeaderValue("image/png");
            var address = new Uri(line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..] + "/ask?question=what%20color%20is%20the%20circle%20%3F");
            HttpResponseMessage answer = await client.PostAsync(address, picture);
            Assert.Equal("red", await answer.Content.ReadAsStringAsync());
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }
}

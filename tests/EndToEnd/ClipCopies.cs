using System.Text.Json;
using System.Text.Json.Nodes;

namespace Espalier.Tests;

/// <summary>Copies of the smallest checkpoint with CLIP's text tower in it or beside it, and what tests/reference/clip_text.py computes with them.</summary>
internal sealed class ClipCopies : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>What the reference computes.</summary>
    public static JsonElement Golden { get; } = JsonDocument.Parse(File.ReadAllBytes(RepositoryFolder.Combine("tests", "reference", "goldens", "clip", "clip-llama.json"))).RootElement;

    /// <summary>What it computes for Recoverable Compression.</summary>
    public static JsonElement Recovered { get; } = JsonDocument.Parse(File.ReadAllBytes(RepositoryFolder.Combine("tests", "reference", "goldens", "clip", "recoverable.json"))).RootElement;

    /// <summary>The tower's own folder.</summary>
    public static string TowerFolder { get; } = RepositoryFolder.Combine("tests", "reference", "checkpoints", "clip-text");

    /// <summary>The questions that the reference was asked, by number.</summary>
    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Golden.GetProperty("cases").GetArrayLength())];

    /// <summary>How relevant the reference's features are to a question, where and as the sessions run.</summary>
    public static float[] Relevance(ModelSessions sessions, string question)
    {
        JsonElement features = Golden.GetProperty("features");
        using RowTensor rows = RowTensor.Hidden(sessions.Geometry.Vision.Hidden, sessions.Memory, sessions.Rows);
        rows.Resize(features.GetArrayLength());
        features.EnumerateArray().SelectMany(static row => Goldens.Floats(row)).ToArray().CopyTo(rows.Span<float>());
        rows.Upload();
        using var clip = new ClipRelevance(sessions, sessions.Clip!, rows.Value, rows.Rows);
        var relevance = new float[rows.Rows];
        clip.Read(question);
        clip.Measure(relevance);
        return relevance;
    }

    /// <summary>Opens a copy.</summary>
    public Checkpoint Open(string? inside = null, string? beside = null, string? named = null) => Checkpoint.Open(Copy(inside, beside, named));

    /// <summary>A copy of the small checkpoint, and of the text tower in it or beside it.</summary>
    public string Copy(string? inside = null, string? beside = null, string? named = null)
    {
        string folder = Path.Combine(_folder[Guid.NewGuid().ToString("N")], "model");
        CopyFiles(Goldens.Of("clip-llama").CheckpointFolder, folder);
        if (inside is not null)
        {
            CopyFiles(TowerFolder, Path.Combine(folder, inside));
        }

        if (beside is not null)
        {
            CopyFiles(TowerFolder, Path.Combine(folder, "..", beside));
        }

        if (named is not null)
        {
            string config = Path.Combine(folder, "config.json");
            JsonNode root = JsonNode.Parse(File.ReadAllText(config))!;
            root["mm_vision_tower"] = named;
            File.WriteAllText(config, root.ToJsonString());
        }

        return folder;
    }

    public void Dispose() => _folder.Dispose();

    private static void CopyFiles(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}

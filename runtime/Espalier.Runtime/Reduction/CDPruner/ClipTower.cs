using Espalier.Planning;
using Espalier.Text;

namespace Espalier;

/// <summary>CLIP's text tower beside a checkpoint whose vision tower is CLIP's: what says how relevant a patch is to a question in the paper of CDPruner (arXiv 2506.10967).</summary>
/// <remarks>Config and tokenizer lie in a folder that the checkpoint's config names, or in <c>clip</c>; the tensors there too, or in the checkpoint. Thread-safe.</remarks>
/// <param name="Geometry">Its shapes.</param>
/// <param name="Tokenizer">Its tokenizer.</param>
/// <param name="File">The file of its tensors; null if the checkpoint holds them.</param>
internal sealed record ClipTower(ClipGeometry Geometry, Tokenizer Tokenizer, LearnedFile? File)
{
    private const string DefaultFolder = "clip";
    private const string WeightsFile = "model.safetensors";

    // What the vision tower's norm is called in a CLIP model, and in a checkpoint.
    private const string OwnNorm = "vision_model.post_layernorm";
    private const string CheckpointNorm = "vision_tower.post_layernorm";

    /// <summary>The text tower of a checkpoint; null if it has none, and then the documented substitute stands for it.</summary>
    /// <param name="checkpoint">The model.</param>
    /// <param name="open">Opens a file of tensors, or hands out the one that is open.</param>
    /// <exception cref="CheckpointException">There is one, but a file or a tensor is missing, or does not fit.</exception>
    /// <exception cref="TokenizerException">Its tokenizer cannot be read, or is none of CLIP's kind.</exception>
    public static ClipTower? Find(Checkpoint checkpoint, Func<string, LearnedFile> open)
    {
        if (checkpoint.Geometry.Vision.Family != VisionFamily.Clip)
        {
            return null;
        }

        string? folder = FolderOf(checkpoint);
        bool isInside = checkpoint.TensorNames.Any(static name => name is ClipGeometry.TextProjection or ClipGeometry.VisualProjection || name.StartsWith(ClipGeometry.TextPrefix, StringComparison.Ordinal));
        if (folder is null)
        {
            return isInside
                ? throw new CheckpointFileMissingException(Path.Combine(checkpoint.Folder, DefaultFolder), "the checkpoint holds tensors of CLIP's text tower, whose config.json and tokenizer.json must be in this folder, or in the one that mm_vision_tower or vision_config._name_or_path in config.json names. Add them, or remove the tensors.")
                : null;
        }

        string weights = Path.Combine(folder, WeightsFile);
        LearnedFile? file = System.IO.File.Exists(weights) || !isInside ? open(weights) : null;
        bool hasOwnNorm = file?.Has(OwnNorm + ".weight") ?? checkpoint.TryGetTensor(OwnNorm + ".weight", out _);
        ClipGeometry geometry = ClipGeometry.Read(Path.Combine(folder, "config.json"), checkpoint.Geometry.Vision, hasOwnNorm ? OwnNorm : CheckpointNorm);
        RequireTensors(checkpoint, geometry, file);
        return new ClipTower(geometry, OpenTokenizer(Path.Combine(folder, "tokenizer.json"), geometry), file);
    }

    private static void RequireTensors(Checkpoint checkpoint, ClipGeometry geometry, LearnedFile? file)
    {
        var missing = new List<string>();
        foreach ((string name, long[] shape) in geometry.Tensors())
        {
            if (file?.Has(name) == true)
            {
                _ = file.GetTensor(name, shape);
            }
            else if (checkpoint.TryGetTensor(name, out _))
            {
                _ = checkpoint.GetTensor(name, shape);
            }
            else
            {
                missing.Add(name);
            }
        }

        if (missing.Count > 0)
        {
            throw new MissingTensorException(file?.Path ?? checkpoint.Folder, missing);
        }
    }

    private static Tokenizer OpenTokenizer(string path, ClipGeometry geometry)
    {
        Tokenizer tokenizer = Tokenizer.Open(path);
        if (tokenizer.Frame is not { Before.Length: 1, After.Length: 1 })
        {
            throw new TokenizerException(TokenizerError.MissingField, path, "$.post_processor", "a text of CLIP stands between one token that starts it and one that ends it; this file adds others. Take the tokenizer.json of the CLIP model");
        }

        return tokenizer.VocabularySize <= geometry.Vocabulary
            ? tokenizer
            : throw new TokenizerException(TokenizerError.InvalidField, path, "$.model.vocab", $"its ids reach {tokenizer.VocabularySize - 1}, but the text tower embeds {geometry.Vocabulary} tokens. Take the tokenizer.json of the same CLIP model");
    }

    /// <summary>The folder that the checkpoint's config names by its last part, in the checkpoint's folder or beside it; else <c>clip</c> in the checkpoint's folder. Null if there is none.</summary>
    private static string? FolderOf(Checkpoint checkpoint)
    {
        string name = NameOf(Path.Combine(checkpoint.Folder, "config.json"));
        string[] candidates = name.Length == 0
            ? [Path.Combine(checkpoint.Folder, DefaultFolder)]
            : [Path.Combine(checkpoint.Folder, name), Path.Combine(Path.GetFullPath(checkpoint.Folder), "..", name), Path.Combine(checkpoint.Folder, DefaultFolder)];
        return Array.Find(candidates, Directory.Exists);
    }

    // Published configs name the tower as a repository, owner and name. Only the name can be a folder here, so nothing leads out of these places.
    private static string NameOf(string path)
    {
        ConfigValue? document = ConfigParser.Parse(CheckpointFiles.ReadConfig(path), out _);
        if (document is null)
        {
            return "";
        }

        ConfigSection root = ConfigSection.Root(document);
        string named = root.Word("mm_vision_tower", root.Section("vision_config").Word("_name_or_path", ""));
        string last = named.TrimEnd('/', '\\');
        last = last[(last.LastIndexOfAny(['/', '\\']) + 1)..];
        return last is "." or ".." || last.AsSpan().ContainsAny(Path.GetInvalidFileNameChars()) ? "" : last;
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Espalier.Evaluation;

/// <summary>Says whether the files that a run depends on are those of an earlier one.</summary>
/// <remarks>Of a large file 16 pieces are read and not all of it: training, converting or editing changes nearly every piece, and a model of 14 GB is not read through before each run. Thread-safe.</remarks>
internal static class FileDigests
{
    private const int PieceBytes = 4096;
    private const int Pieces = 16;

    // What else lies in a model's folder, an index for example or a report, makes no answer another.
    private static readonly string[] ModelFiles = ["config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json", "generation_config.json", "chat_template.json", "chat_template.jinja"];

    /// <summary>Of a model: how it is configured, and its weights, those included that methods learned.</summary>
    /// <param name="folder">The checkpoint.</param>
    public static string OfModel(string folder) => Of(
    [
        .. ModelFiles.Select(name => Path.Combine(folder, name)).Where(File.Exists),
        .. Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal),
    ]);

    /// <summary>Of a file of questions, all of it: one answer that was put right changes what the file says.</summary>
    /// <param name="path">The file.</param>
    public static string OfData(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>Of files: their names without folders, their lengths, and what is in them.</summary>
    /// <param name="paths">The files, in order.</param>
    private static string Of(IReadOnlyList<string> paths)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[PieceBytes];
        foreach (string path in paths)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            digest.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(path)} {file.Length}\n")));
            bool isWhole = file.Length <= Pieces * PieceBytes;
            for (int i = 0; i < Pieces; i++)
            {
                file.Position = isWhole ? Math.Min(file.Length, (long)i * PieceBytes) : (file.Length - PieceBytes) / (Pieces - 1) * i;
                digest.AppendData(piece, 0, file.ReadAtLeast(piece, PieceBytes, throwOnEndOfStream: false));
            }
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }
}

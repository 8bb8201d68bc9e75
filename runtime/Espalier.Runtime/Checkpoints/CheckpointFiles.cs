using System.Globalization;
using System.Text;
using Espalier.Planning;
using Microsoft.Win32.SafeHandles;

namespace Espalier;

/// <summary>Opens the files of a checkpoint folder; every failure of the file system becomes a typed error with the path.</summary>
internal static class CheckpointFiles
{
    /// <summary>Far above every released config, far below what would hurt.</summary>
    private const long MaxConfigBytes = 4 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Opens a regular file for reading; others may read it too, but not write.</summary>
    public static SafeFileHandle Open(string path, out long length)
    {
        SafeFileHandle? handle = null;
        try
        {
            if (EmptyFile.Is(path))
            {
                length = 0;
                throw new CheckpointFileUnreadableException(path, "the file is empty. Download it again.");
            }

            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            length = RandomAccess.GetLength(handle);
            return handle;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointFileMissingException(path, "the file does not exist.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            handle?.Dispose();
            throw new CheckpointFileUnreadableException(path, "the file cannot be opened: " + exception.Message, exception);
        }
    }

    /// <summary>Reads a config as strict UTF-8.</summary>
    public static string ReadConfig(string path)
    {
        byte[] bytes = ReadBytes(path, MaxConfigBytes);
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw ConfigException.For(path, new GeometryProblem(GeometryRule.MalformedJson, string.Empty, null, "The file is not UTF-8 text.", 0, 0));
        }
    }

    /// <summary>Reads a whole small file.</summary>
    public static byte[] ReadBytes(string path, long most)
    {
        using SafeFileHandle handle = Open(path, out long length);
        if (length > most)
        {
            throw new CheckpointFileUnreadableException(path, string.Create(CultureInfo.InvariantCulture, $"the file has {length} bytes; such a file has at most {most}."));
        }

        byte[] bytes = new byte[length];
        int filled = 0;
        while (filled < bytes.Length)
        {
            int read = RandomAccess.Read(handle, bytes.AsSpan(filled), filled);
            if (read == 0)
            {
                throw new CheckpointFileUnreadableException(path, "the file became shorter while it was read.");
            }

            filled += read;
        }

        return bytes;
    }
}

using System.Buffers.Text;
using Espalier.Samples.ChatServer.Errors;
using Microsoft.Extensions.AI;

namespace Espalier.Samples.ChatServer.Api;

/// <summary>Data URLs of images, RFC 2397: <c>data:image/png;base64,...</c>.</summary>
internal static class DataUrl
{
    /// <summary>Reads one.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="param">What an error calls it.</param>
    /// <returns>The bytes of the image file; what they are is found out when they are decoded.</returns>
    /// <exception cref="ApiException">It is an address of somewhere else, or no image, or not base64.</exception>
    public static DataContent Parse(string url, string param)
    {
        if (!url.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            throw ApiException.Invalid("image_not_data", "The image is an address. Nothing is downloaded: send its bytes as a data URL, data:image/png;base64,...", param);
        }

        int comma = url.IndexOf(',');
        ReadOnlySpan<char> head = comma < 0 ? [] : url.AsSpan(5, comma - 5);
        if (!head.StartsWith("image/", StringComparison.OrdinalIgnoreCase) || !head.EndsWith(";base64", StringComparison.OrdinalIgnoreCase) || head.Length > 100)
        {
            throw ApiException.Invalid("invalid_data_url", "The data URL does not begin with data:image/...;base64, as images do.", param);
        }

        ReadOnlySpan<char> text = url.AsSpan(comma + 1);
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length) + 3];
        if (!Convert.TryFromBase64Chars(text, bytes, out int length))
        {
            throw ApiException.Invalid("invalid_data_url", "The data URL is not valid base64.", param);
        }

        // The type is not looked at: the decoder finds out what the bytes are.
        return new DataContent(bytes.AsMemory(0, length), "image/*");
    }
}

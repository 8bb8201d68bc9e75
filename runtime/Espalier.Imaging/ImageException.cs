namespace Espalier.Imaging;

/// <summary>An image that cannot be decoded. The message names the file or says that the image came from memory, and what would help.</summary>
public sealed class ImageException : EspalierException
{
    internal ImageException(ImageFault fault, string message, Exception? inner = null)
        : base(message, inner)
    {
        Fault = fault;
    }

    /// <summary>What went wrong.</summary>
    public ImageFault Fault { get; }
}

namespace Espalier;

/// <summary>The base of every exception that Espalier throws on purpose: bad files, bad requests, a missing native library. Programming errors throw the usual argument exceptions.</summary>
public abstract class EspalierException : Exception
{
    private protected EspalierException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

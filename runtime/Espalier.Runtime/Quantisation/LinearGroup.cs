namespace Espalier;

/// <summary>The linear layers of a model that share a number format, and a file of quantised weights.</summary>
internal enum LinearGroup
{
    /// <summary>The decoder's layers and its head.</summary>
    Decoder,

    /// <summary>The vision tower's layers and the projector.</summary>
    Vision,
}

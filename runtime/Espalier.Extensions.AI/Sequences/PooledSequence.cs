namespace Espalier.Extensions.AI;

/// <summary>A sequence and what is known of the image in it.</summary>
internal sealed class PooledSequence(Sequence sequence)
{
    public Sequence Sequence { get; } = sequence;

    /// <summary>The image whose rows the sequence holds; the default where that is not certain.</summary>
    public ImageKey Image { get; set; }

    /// <summary>True if the request for which it was taken can continue over what it holds.</summary>
    public bool HoldsConversation { get; set; }
}

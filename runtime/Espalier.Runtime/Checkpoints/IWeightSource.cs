namespace Espalier;

/// <summary>Where weights lie that are quantised: a checkpoint, or a file of learned weights beside it.</summary>
internal interface IWeightSource
{
    /// <summary>The checkpoint's folder, for which quantised weights are kept.</summary>
    string Folder { get; }

    /// <summary>A weight by its canonical name.</summary>
    /// <exception cref="CheckpointException">There is none of this name and shape.</exception>
    CheckpointTensor GetTensor(string canonicalName, ReadOnlySpan<long> expectedShape);

    /// <summary>Keeps the weights mapped until the lease is disposed.</summary>
    CheckpointLease Lease();
}

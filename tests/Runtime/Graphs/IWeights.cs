using Espalier.Graphs;

namespace Espalier.Tests.Graphs;

/// <summary>Where a session of the tests gets the weights of its graph.</summary>
internal interface IWeights
{
    /// <summary>The elements of a weight, in single precision.</summary>
    float[] Get(WeightUse use);
}

/// <summary>Weights of an open checkpoint.</summary>
internal sealed class CheckpointWeights(Checkpoint checkpoint) : IWeights
{
    public float[] Get(WeightUse use)
    {
        var elements = new float[use.ByteCount / sizeof(float)];
        if (use.Name is DerivedWeights.RopeCos or DerivedWeights.RopeSin)
        {
            var other = new float[elements.Length];
            var (cosines, sines) = use.Name == DerivedWeights.RopeCos ? (elements, other) : (other, elements);
            RotaryTables.Fill(checkpoint.Geometry.Text, cosines, sines);
        }
        else
        {
            checkpoint.GetTensor(use.Name, use.Shape).ReadFloats(0, elements);
        }

        return elements;
    }
}

using Espalier.Planning;

namespace Espalier.Benchmarks.Synthesis;

/// <summary>How the elements of a synthetic tensor are chosen.</summary>
internal enum TensorContent
{
    /// <summary>Normal(0, 0.02).</summary>
    Normal,

    /// <summary>All one: the scale of a norm.</summary>
    Ones,

    /// <summary>All zero: the bias of a norm.</summary>
    Zeros,
}

/// <summary>A tensor to be written.</summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Shape">Outermost dimension first.</param>
/// <param name="Content">Its elements.</param>
internal sealed record SyntheticTensor(string Name, long[] Shape, TensorContent Content)
{
    /// <summary>Number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, static (product, dimension) => checked(product * dimension));
}

/// <summary>The tensors of a model as transformers 4 names and stores them.</summary>
internal static class SyntheticTensors
{
    /// <summary>Registers of a synthetic folder: Victor's smallest number.</summary>
    public const int Registers = 8;

    /// <summary>All tensors, those that are never run included: a folder of the hub has them too.</summary>
    public static List<SyntheticTensor> Of(ModelGeometry geometry)
    {
        VisionGeometry whole = geometry.Vision with { FeatureLayers = geometry.Vision.Layers };
        List<SyntheticTensor> tensors = [.. RequiredTensors.Of(geometry with { Vision = whole }).Select(static tensor => Make(tensor.Name, tensor.Shape))];
        tensors.Add(Make("vision_tower.post_layernorm.weight", [whole.Hidden]));
        tensors.Add(Make("vision_tower.post_layernorm.bias", [whole.Hidden]));
        if (!geometry.Text.TiedHead)
        {
            tensors.Add(Make(CanonicalNames.Head, [geometry.Text.Vocabulary, geometry.Text.Hidden]));
        }

        // Registers that no one trained, for the command 'batches'; last, so that they change no other tensor.
        tensors.Add(new SyntheticTensor(VictorWeights.Registers, [Registers, geometry.Text.Hidden], TensorContent.Normal));
        return tensors;
    }

    private static SyntheticTensor Make(string canonical, long[] shape)
    {
        bool norm = canonical.Contains("norm", StringComparison.Ordinal) || canonical.Contains("pre_layrnorm", StringComparison.Ordinal);
        TensorContent content = !norm ? TensorContent.Normal : canonical.EndsWith(".bias", StringComparison.Ordinal) ? TensorContent.Zeros : TensorContent.Ones;
        return new SyntheticTensor(StoredName(canonical), shape, content);
    }

    /// <summary>The spelling before transformers 4.52, which most folders on the hub have.</summary>
    private static string StoredName(string canonical)
    {
        const string Decoder = "language_model.", Tower = "vision_tower.";
        return canonical == CanonicalNames.Head ? Decoder + canonical
            : canonical.StartsWith(Decoder, StringComparison.Ordinal) ? Decoder + "model." + canonical[Decoder.Length..]
            : canonical.StartsWith(Tower, StringComparison.Ordinal) ? Tower + "vision_model." + canonical[Tower.Length..]
            : canonical;
    }
}

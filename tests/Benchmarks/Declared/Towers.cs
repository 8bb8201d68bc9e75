namespace Espalier.Benchmarks.Declared;

/// <summary>What the generator wrote for an image: the vision tower and what is reduced in it.</summary>
internal interface ICompiledEncoder : ICompiledLoop
{
    /// <summary>Runs the tower over pixels that are in place; the projector runs where the rows are loaded.</summary>
    void Encode(ImagePass pass);
}

// ToMe's r is such that about half of the patches are left behind the feature layer.

[VisionLanguageModel("tiny")]
[ToMe(R = 16)]
public sealed partial class TinyMergedTower : ICompiledEncoder
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);

    void ICompiledEncoder.Encode(ImagePass pass) => EncodeImage(pass);
}

[VisionLanguageModel("onevision-0.5b")]
[ToMe(R = 14)]
public sealed partial class OneVisionMergedTower : ICompiledEncoder
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);

    void ICompiledEncoder.Encode(ImagePass pass) => EncodeImage(pass);
}

public sealed partial class TinyDense : ICompiledEncoder
{
    void ICompiledEncoder.Encode(ImagePass pass) => EncodeImage(pass);
}

public sealed partial class OneVisionDense : ICompiledEncoder
{
    void ICompiledEncoder.Encode(ImagePass pass) => EncodeImage(pass);
}

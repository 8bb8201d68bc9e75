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

// FiCoCo's r is such that the decoder runs 82.4 % fewer operations, as where its paper claims most; the tiny tower has too few tokens for that.

[VisionLanguageModel("tiny")]
[FiCoCoV(R = 16, StartLayer = 0)]
public sealed partial class TinyCompressedTower : ICompiledEncoder
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);

    void ICompiledEncoder.Encode(ImagePass pass) => EncodeImage(pass);
}

[VisionLanguageModel("onevision-0.5b")]
[FiCoCoV(R = 49)]
public sealed partial class OneVisionCompressedTower : ICompiledEncoder
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

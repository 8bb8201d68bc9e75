namespace Espalier.Benchmarks.Declared;

// The authors' choices: YOPO's window, share of neurons and layer cut, RedundancyLens's shares in about half of the layers.

[VisionLanguageModel("qwen2-0.5b-576")]
[Yopo(W = 5, Ratio = 2, LayerCut = 20)]
public sealed partial class Qwen576Yopo : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("qwen2-0.5b-576")]
[RedundancyLens(12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22)]
public sealed partial class Qwen576Lens : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

namespace Espalier.Benchmarks.Declared;

// Victor with its smallest summary. The share of layers that see the visual tokens is the paper's, 3 of 32, as nearly as the number of layers allows: 1 of 11; 1 of 6, 1 of 8 and 3 of 24 are more.

[VisionLanguageModel("tiny")]
[Victor(M = 8, K = 1)]
public sealed partial class TinySummary : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("qwen2-0.5b-576")]
[Victor(M = 8, K = 3)]
public sealed partial class Qwen576Summary : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("llava-7b-thin")]
[Victor(M = 8, K = 1)]
public sealed partial class Llava7BSummary : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("llava-7b-11")]
public sealed partial class Llava7B11Dense;

[VisionLanguageModel("llava-7b-11")]
[Victor(M = 8, K = 1)]
public sealed partial class Llava7B11Summary;

namespace Espalier.Benchmarks.Declared;

// The same seven plans for each geometry: what drops, what freezes (19 of 32 layers, scattered as ShortV's published lists are), what leaves at half depth.
// The parts of a model are measured on the dense onevision-0.5b.

[VisionLanguageModel("tiny")]
public sealed partial class TinyDense : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("tiny")]
[FastV(K = 2, R = 0.5)]
public sealed partial class TinyDropHalf : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("tiny")]
[FastV(K = 2, R = 0.75)]
public sealed partial class TinyDropThreeQuarters : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("tiny")]
[ShortV(2, 4, 5, 6, 7)]
public sealed partial class TinyFreeze : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("tiny")]
[Vtw(K = 4)]
public sealed partial class TinyExit : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("tiny")]
[FastV(K = 2, R = 0.5)]
[Vtw(K = 4)]
public sealed partial class TinyDropAndExit : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("tiny")]
[FastV(K = 2, R = 0.5)]
[ShortV(1, 3)]
[Vtw(K = 6)]
public sealed partial class TinyEverything : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("qwen2-0.5b-576")]
public sealed partial class Qwen576Dense : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("qwen2-0.5b-576")]
[FastV(K = 2, R = 0.5)]
public sealed partial class Qwen576DropHalf : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("qwen2-0.5b-576")]
[FastV(K = 2, R = 0.75)]
public sealed partial class Qwen576DropThreeQuarters : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("qwen2-0.5b-576")]
[ShortV(8, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)]
public sealed partial class Qwen576Freeze : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("qwen2-0.5b-576")]
[Vtw(K = 12)]
public sealed partial class Qwen576Exit : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("qwen2-0.5b-576")]
[FastV(K = 2, R = 0.5)]
[Vtw(K = 12)]
public sealed partial class Qwen576DropAndExit : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("qwen2-0.5b-576")]
[FastV(K = 2, R = 0.5)]
[ShortV(1, 5, 7, 8, 10, 11)]
[Vtw(K = 16)]
public sealed partial class Qwen576Everything : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("onevision-0.5b")]
public sealed partial class OneVisionDense : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("llava-7b-thin")]
public sealed partial class Llava7BDense : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("llava-7b-thin")]
[FastV(K = 2, R = 0.5)]
public sealed partial class Llava7BDropHalf : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("llava-7b-thin")]
[FastV(K = 2, R = 0.75)]
public sealed partial class Llava7BDropThreeQuarters : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("llava-7b-thin")]
[ShortV(1, 3, 4, 5)]
public sealed partial class Llava7BFreeze : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("llava-7b-thin")]
[Vtw(K = 3)]
public sealed partial class Llava7BExit : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("llava-7b-thin")]
[FastV(K = 2, R = 0.5)]
[Vtw(K = 3)]
public sealed partial class Llava7BDropAndExit : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

[VisionLanguageModel("llava-7b-thin")]
[FastV(K = 2, R = 0.5)]
[ShortV(1, 3)]
[Vtw(K = 5)]
public sealed partial class Llava7BEverything : ICompiledLoop
{
    void ICompiledLoop.Run(ForwardPass pass) => Prefill(pass);
}

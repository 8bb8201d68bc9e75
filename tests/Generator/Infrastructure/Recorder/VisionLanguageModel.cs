#pragma warning disable CS1591 // Not the public face of anything.
using System;
using System.Collections.Generic;
using Espalier.Planning;

namespace Espalier;

public sealed class Checkpoint;

public sealed class ModelOptions;

public abstract class VisionLanguageModel : IDisposable
{
    private readonly ForwardPass _pass = new();
    private readonly int _visualTokens;

    protected VisionLanguageModel(Checkpoint checkpoint, ReductionPlan plan, ModelOptions? options, Precision precision = Precision.Float32) => _visualTokens = plan.Geometry.VisualTokens;

    protected virtual void EncodeImage(ImagePass pass) => pass.Inherited();

    protected abstract void Prefill(ForwardPass pass);

    protected abstract void DecodeStep(ForwardPass pass);

    public IReadOnlyList<string> Record()
    {
        var image = new ImagePass(_pass.Calls, _visualTokens);
        EncodeImage(image);
        _pass.EnteredTokens = image.VisualTokens;
        Prefill(_pass);
        DecodeStep(_pass);
        return _pass.Calls;
    }

    public void Dispose() { }
}

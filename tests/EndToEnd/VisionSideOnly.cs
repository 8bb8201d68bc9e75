using Espalier.Planning;

namespace Espalier.Tests;

/// <summary>A class that a test writes in place of the compiler, whose way from pixels to rows is what the test asks about. Behind it, it fails with another error than a refused call.</summary>
internal abstract class VisionSideOnly(Checkpoint checkpoint, ReductionPlan plan) : VisionLanguageModel(checkpoint, plan, null)
{
    protected override void Prefill(ForwardPass pass) => throw new NotSupportedException("EncodeImage was accepted.");

    protected override void DecodeStep(ForwardPass pass) => throw new NotSupportedException("EncodeImage was accepted.");
}

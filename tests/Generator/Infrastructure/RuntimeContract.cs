namespace Espalier.Tests;

/// <summary>The part of the runtime that emitted code calls.</summary>
internal static class RuntimeContract
{
    public const string Source = """
        #nullable enable
        #pragma warning disable CS1591
        using System;
        using Espalier.Planning;
        namespace Espalier
        {
            public sealed class Checkpoint;
            public sealed class ModelOptions;
            public abstract class VisionLanguageModel : IDisposable
            {
                protected VisionLanguageModel(Checkpoint checkpoint, ReductionPlan plan, ModelOptions? options) { }
                protected abstract void Prefill(ForwardPass pass);
                protected abstract void DecodeStep(ForwardPass pass);
                public void Dispose() { }
            }
            public sealed class ForwardPass
            {
                public int VisualTokens => 0;
                public void BeginPrefill(int visualTokens) { }
                public void RunDense(int layer) { }
                public void RunScored(int layer, Span<float> scores) { }
                public void RunFrozen(int layer) { }
                public void RunFrozenScored(int layer, Span<float> scores) { }
                public void KeepVisual(ReadOnlySpan<int> kept) { }
                public void ExitVisual() { }
                public void EndPrefill() { }
                public void BeginDecode() { }
                public void RunDecode(int layer) { }
                public void EndDecode() { }
                public Span<float> Scores(int count) => default;
                public Span<int> Kept(int count) => default;
            }
            public static class TokenSelection
            {
                public static void TopK(ReadOnlySpan<float> scores, Span<int> kept) { }
            }
        }
        """;
}

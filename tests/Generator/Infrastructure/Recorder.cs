namespace Espalier.Tests;

/// <summary>The part of the runtime that emitted code calls, as a recorder: what the loops do can be read back call by call. That it is the real face of the runtime follows from compiling the same outputs against the runtime.</summary>
internal static class Recorder
{
    public const string Source = """
        #nullable enable
        #pragma warning disable CS1591
        using System;
        using System.Collections.Generic;
        using Espalier.Planning;

        namespace Espalier
        {
            public sealed class Checkpoint;

            public sealed class ModelOptions;

            public abstract class VisionLanguageModel : IDisposable
            {
                private readonly ForwardPass _pass = new();

                protected VisionLanguageModel(Checkpoint checkpoint, ReductionPlan plan, ModelOptions? options, Precision precision = Precision.Float32) { }

                protected abstract void Prefill(ForwardPass pass);

                protected abstract void DecodeStep(ForwardPass pass);

                public IReadOnlyList<string> Record()
                {
                    Prefill(_pass);
                    DecodeStep(_pass);
                    return _pass.Calls;
                }

                public void Dispose() { }
            }

            public sealed class ForwardPass
            {
                public List<string> Calls { get; } = new();

                public int VisualTokens { get; private set; }

                public void BeginPrefill(int visualTokens)
                {
                    VisualTokens = visualTokens;
                    Calls.Add($"prefill {visualTokens}");
                }

                public void RunDense(int layer) => Calls.Add($"dense {layer} over {VisualTokens}");

                public void RunFrozen(int layer) => Calls.Add($"frozen {layer} over {VisualTokens}");

                public void RunScored(int layer, Span<float> scores) => Score("scored", layer, scores);

                public void RunFrozenScored(int layer, Span<float> scores) => Score("frozen scored", layer, scores);

                public void ScoreVisual<TScorer>(Span<float> scores)
                    where TScorer : struct, ITokenScorer
                {
                    Calls.Add($"{typeof(TScorer).Name} over {VisualTokens} into {scores.Length}");
                    TScorer.Score(scores);
                }

                public void KeepVisual(ReadOnlySpan<int> kept)
                {
                    Calls.Add($"keep {kept.Length} from {kept[0]}");
                    VisualTokens = kept.Length;
                }

                public void ScoreAhead(int layer, Span<float> scores) => Score("ask", layer, scores);

                public void RenumberRows() => Calls.Add("renumber");

                public void ExitVisual()
                {
                    Calls.Add("exit");
                    VisualTokens = 0;
                }

                public void EndPrefill() => Calls.Add("logits");

                public void BeginDecode() => Calls.Add("decode");

                public void RunDecode(int layer) => Calls.Add($"decode {layer}");

                public void EndDecode() => Calls.Add("logits");

                public Span<float> Scores(int count) => new float[count];

                public Span<int> Kept(int count) => new int[count];

                private void Score(string kind, int layer, Span<float> scores)
                {
                    Calls.Add($"{kind} {layer} over {VisualTokens} into {scores.Length}");
                    for (int i = 0; i < scores.Length; i++)
                    {
                        scores[i] = i;
                    }
                }
            }

            public interface ITokenScorer
            {
                static abstract void Score(Span<float> scores);
            }

            public struct Ascending : ITokenScorer
            {
                public static void Score(Span<float> scores)
                {
                    for (int i = 0; i < scores.Length; i++)
                    {
                        scores[i] = i;
                    }
                }
            }

            public static class TokenSelection
            {
                public static void Random(int visualTokens, int seed, Span<int> kept)
                {
                    // The seed is told by the first token.
                    for (int i = 0; i < kept.Length; i++)
                    {
                        kept[i] = seed + i;
                    }
                }

                public static void TopK(ReadOnlySpan<float> scores, Span<int> kept)
                {
                    // The scores of the recorder ascend, so the last ones are the best.
                    for (int i = 0; i < kept.Length; i++)
                    {
                        kept[i] = scores.Length - kept.Length + i;
                    }
                }
            }
        }
        """;
}

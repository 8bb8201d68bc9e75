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

            public sealed class ImagePass
            {
                private readonly List<string> _calls;
                private readonly int _all;
                private int _visualTokens;

                public int VisualTokens => _visualTokens;

                public ReadOnlySpan<float> MeanText => Ascending(3);

                public ReadOnlySpan<float> Features => Ascending(3 * (_visualTokens + 1));

                public ImagePass(List<string> calls, int visualTokens)
                {
                    _calls = calls;
                    _all = visualTokens;
                    _visualTokens = visualTokens;
                }

                // The values tell the kernels below how many tokens there are, and ascend.
                public ReadOnlySpan<float> ClsAttention => Ascending(_visualTokens);

                public ReadOnlySpan<float> Keys => Ascending(2 * _visualTokens);

                public ReadOnlySpan<float> Projected => Ascending(3 * _visualTokens);

                public void Inherited() { }

                public void RunTower() => _calls.Add("tower");

                public void RunScoredTower() => _calls.Add("scored tower");

                public ReadOnlySpan<float> TextScores => Ascending(_visualTokens);

                public void ScoreByText() => _calls.Add($"score {_visualTokens} by text");

                // The first row is the CLS token's.
                public ReadOnlySpan<float> AttentionMap => new float[(_visualTokens + 1) * (_visualTokens + 1)];

                public ReadOnlySpan<float> TowerKeys => new float[2 * (_visualTokens + 1)];

                public Span<float> Sizes => new float[_visualTokens + 1];

                public ReadOnlySpan<int> Tokens => new int[_visualTokens];

                public void EmbedPatches() => _calls.Add("patches");

                public void RunTowerLayers(int first, int last) => _calls.Add($"tower {first} to {last} over {_visualTokens}");

                public void RunMergedTowerLayers(int first, int last) => _calls.Add($"merged tower {first} to {last} over {_visualTokens}");

                public void LookAhead(int first, int last) => _calls.Add($"look ahead {first} to {last} over {_visualTokens}");

                public void RunTowerAttention(int layer) => _calls.Add($"attend {layer} over {_visualTokens}");

                public RowMerge BeginMerge(int leaving) => new(new int[_visualTokens - leaving]);

                public void MergeTower(RowMerge merge)
                {
                    _calls.Add($"merge {_visualTokens} into {merge.Kept.Length} by {merge.Kept[0]}");
                    _visualTokens = merge.Kept.Length;
                }

                public void RunTowerFeedForward(int layer) => _calls.Add($"feed forward {layer} over {_visualTokens}");

                public void Project() => _calls.Add($"project {_visualTokens}");

                public void Keep(ReadOnlySpan<int> kept)
                {
                    _calls.Add($"keep {kept.Length} from {kept[0]}");
                    _visualTokens = kept.Length;
                }

                public Span<float> Weights(int rows) => new float[rows * (_all + 1)];

                public void Merge(ReadOnlySpan<int> tokens)
                {
                    _calls.Add($"merge {tokens.Length}, {-tokens[0]} contextual");
                    _visualTokens = tokens.Length;
                }

                public Span<int> Kept(int count) => new int[count];

                public Span<float> Scratch(int count)
                {
                    _calls.Add($"scratch {count}");
                    return new float[count];
                }

                private static float[] Ascending(int count)
                {
                    var values = new float[count];
                    for (int i = 0; i < count; i++)
                    {
                        values[i] = i;
                    }

                    return values;
                }
            }

            public static class VisionZip
            {
                public static void Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, int contextual, Span<int> kept, Span<float> weights)
                {
                    if (keys.Length != 2 * clsAttention.Length || weights.Length != kept.Length * (clsAttention.Length + 1))
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    kept[0] = -contextual;
                }
            }

            public static class SimilarTokens
            {
                public static void Select(ReadOnlySpan<float> scores, ReadOnlySpan<float> rows, Span<float> scratch, RowMerge merge)
                {
                    if (rows.Length != 3 * scores.Length || scratch.Length < 2 * merge.Kept.Length)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    TokenSelection.TopK(scores, merge.Kept);
                }
            }

            public static class FiCoCoV
            {
                public static void Select(ReadOnlySpan<float> map, ReadOnlySpan<int> tokens, int grid, FiCoCoMode mode, FiCoCoRedundancy redundancy, double lambda, double epsilon, int window, double coefficient, Span<float> scratch, RowMerge merge)
                {
                    if (map.Length != (tokens.Length + 1) * (tokens.Length + 1) || scratch.Length < 3 * tokens.Length)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    merge.Kept[0] = grid;
                }
            }

            public static class ToMe
            {
                public static void Select(ReadOnlySpan<float> keys, Span<float> sizes, Span<float> scratch, RowMerge merge)
                {
                    if (keys.Length != 2 * sizes.Length || scratch.Length < 3 * (sizes.Length + 1))
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    merge.Kept[0] = -1;
                }
            }

            public static class Elip
            {
                public static void Select(ReadOnlySpan<float> clsAttention, RowMerge merge)
                {
                    if (merge.Kept.Length >= clsAttention.Length)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    merge.Kept[0] = clsAttention.Length;
                }
            }

            public static class FiCoCoL
            {
                public static void Select(AttentionMap map, FiCoCoMode mode, double beta, double gamma, double epsilon, Span<float> scratch, RowMerge merge)
                {
                    if (scratch.Length < 2 * map.VisualRows || merge.Kept.Length >= map.VisualRows)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    merge.Kept[0] = map.VisualRows - merge.Kept.Length;
                }
            }

            public readonly ref struct AttentionMap(int visualRows)
            {
                public int VisualRows { get; } = visualRows;
            }

            public readonly ref struct RowMerge(Span<int> kept)
            {
                public Span<int> Kept { get; } = kept;
            }

            public static class DivPrune
            {
                public static void Select(ReadOnlySpan<float> features, int tokens, Span<float> scratch, Span<int> kept) => Last(features, tokens, kept);

                internal static void Last(ReadOnlySpan<float> features, int tokens, Span<int> kept)
                {
                    if (features.Length != 3 * tokens)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    TokenSelection.TopK(features[..tokens], kept);
                }
            }

            // How many are left is half of what the plan allows, where the loop asks.
            public static class Aim
            {
                public static int Select(ReadOnlySpan<float> features, int tokens, int halvings, AimOrder order, Span<float> scratch, Span<int> kept, Span<float> weights)
                {
                    if (features.Length != 3 * tokens || scratch.Length < 8 * (tokens + 1) || weights.Length < kept.Length * tokens)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    kept[0] = -halvings;
                    return (kept.Length + 1) / 2;
                }
            }

            // The tokens with the largest norms, as many as DART leaves.
            public static class Dart
            {
                public static int Select(ReadOnlySpan<float> imageNorms, ReadOnlySpan<float> textNorms, ReadOnlySpan<float> rows, int width, int imagePivots, int textPivots, double share, Span<float> scratch, Span<int> kept)
                {
                    if (rows.Length != 3 * (imageNorms.Length + textNorms.Length) || scratch.Length < (2 * imageNorms.Length) + imagePivots + textPivots || share <= 0)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    int pivots = imagePivots + textPivots;
                    int count = Math.Min(imageNorms.Length, imagePivots + ((int)(imageNorms.Length * share / pivots) * pivots));
                    TokenSelection.TopK(imageNorms, kept[..count]);
                    return count;
                }
            }

            public static class GPrune
            {
                public static void Select(ReadOnlySpan<float> features, int tokens, double threshold, double temperature, int iterations, Span<float> scratch, Span<int> kept) =>
                    DivPrune.Last(features, tokens, kept);
            }

            public static class PruMerge
            {
                public static int Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, int neighbours, Span<float> scratch, Span<int> kept, Span<float> weights)
                {
                    if (scratch.Length != 2 * clsAttention.Length || weights.Length != kept.Length * (clsAttention.Length + 1))
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    kept[0] = -neighbours;
                    return (kept.Length + 1) / 2;
                }
            }

            public static class RecoverableCompression
            {
                public static int Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, ReadOnlySpan<float> textScores, InflectionCut cut, int window, int neighbours, double textWeight, Span<float> scratch, Span<int> kept, Span<float> weights)
                {
                    if (textScores.Length != clsAttention.Length || scratch.Length != 7 * clsAttention.Length)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    return PruMerge.Select(clsAttention, keys, neighbours, scratch[..(2 * clsAttention.Length)], kept, weights);
                }
            }

            public static class PruMergePlus
            {
                public static int Select(ReadOnlySpan<float> clsAttention, ReadOnlySpan<float> keys, int neighbours, Span<float> scratch, Span<int> kept, Span<float> weights) =>
                    PruMerge.Select(clsAttention, keys, neighbours, scratch, kept, weights);
            }

            public static class FoPru
            {
                public static void Select(ReadOnlySpan<float> significance, int side, Span<float> scratch, Span<int> kept)
                {
                    if (significance.Length != side * side || kept.Length % side != 0 || scratch.Length != side)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    TokenSelection.TopK(significance, kept);
                }
            }

            public static class CDPruner
            {
                public static void Select(ReadOnlySpan<float> features, int tokens, ReadOnlySpan<float> text, Span<float> scratch, Span<int> kept) => DivPrune.Last(features, tokens, kept);
            }

            // What only the image says is half of what the plan allows, in the recorder's images.
            public static class SparsityMeetsSimilarity
            {
                public static int Select(ReadOnlySpan<float> features, int tokens, InflectionCut cut, int window, int least, Span<float> scratch, Span<int> kept)
                {
                    if (features.Length != 3 * (tokens + 1) || scratch.Length != 5 * tokens)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    return Select(features[..tokens], cut, window, least, scratch[tokens..], kept);
                }

                public static int Select(ReadOnlySpan<float> scores, InflectionCut cut, int window, int least, Span<float> scratch, Span<int> kept)
                {
                    if (scratch.Length != 4 * scores.Length)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    int count = (kept.Length + 1) / 2;
                    TokenSelection.TopK(scores, kept[..count]);
                    return count;
                }
            }

            public static class RelevantTokens
            {
                public static int Select(ReadOnlySpan<float> scores, double theta, Span<int> kept)
                {
                    int count = (scores.Length + 1) / 2;
                    TokenSelection.TopK(scores, kept[..count]);
                    return count;
                }
            }

            // A count that the attention says is half of the tokens, in the recorder's images.
            public static class SparseVlm
            {
                public static int Count(int tokens, int keep) => tokens / 2;

                public static int Count(int rank, int tokens, double scale, double bias) => rank == 3 ? tokens / 2 : -1;

                public static int Count(int rank, int tokens, double lambda) => rank == 3 ? tokens / 2 : -1;

                public static int Select(ReadOnlySpan<float> scores, int rank, double scale, double bias, Span<int> kept) => RelevantTokens.Select(scores, rank == 3 ? scale : bias, kept);

                public static int Select(ReadOnlySpan<float> scores, int rank, double lambda, Span<int> kept) => RelevantTokens.Select(scores, rank == 3 ? lambda : 0, kept);

                public static void Select(ReadOnlySpan<float> scores, ReadOnlySpan<float> rows, int keep, double tau, Span<float> scratch, RowMerge merge)
                {
                    int pool = Recycling.Pool(scores.Length - keep, tau);
                    if (rows.Length != 3 * scores.Length || merge.Kept.Length != Recycling.Left(scores.Length, keep, tau) || scratch.Length < (pool * pool) + (5 * scores.Length))
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    TokenSelection.TopK(scores, merge.Kept);
                }
            }

            public static class SparseVlmPlus
            {
                public static void Select(Span<float> scores, RaterAttention attention, int heads, Span<float> scratch, Span<int> kept)
                {
                    if (scores.Length != attention.VisualRows || scratch.Length < 2 * heads)
                    {
                        throw new ArgumentException("The spans do not fit.");
                    }

                    TokenSelection.TopK(scores, kept);
                }
            }

            public readonly ref struct RaterAttention(int visualRows)
            {
                public int VisualRows { get; } = visualRows;
            }

            public sealed class ForwardPass
            {
                public List<string> Calls { get; } = new();

                public int VisualTokens { get; private set; }

                public void BeginPrefill(int visualTokens, int registers = 0)
                {
                    VisualTokens = visualTokens;
                    Calls.Add($"prefill {visualTokens}, {registers} registers");
                }

                public int EnteredTokens { get; set; }

                public void BeginPrefillAtMost(int visualTokens, int registers = 0)
                {
                    VisualTokens = EnteredTokens;
                    Calls.Add($"prefill {VisualTokens} of at most {visualTokens}, {registers} registers");
                }

                public void KeepRelevantText(double theta) => Calls.Add("keep text");

                public void RunDense(int layer) => Calls.Add($"dense {layer} over {VisualTokens}");

                public void RunFrozen(int layer) => Calls.Add($"frozen {layer} over {VisualTokens}");

                public void RunPartial(int layer) => Calls.Add($"partial {layer} over {VisualTokens}");

                public void RunPartialScored(int layer, Span<float> scores) => Score("partial scored", layer, scores);

                public void RunPartialTextScored(int layer, Span<float> scores) => Score("partial text scored", layer, scores);

                public void RunLastRow(int layer) => Calls.Add($"last row of {layer} over {VisualTokens}");

                public void RunScored(int layer, Span<float> scores) => Score("scored", layer, scores);

                public void RunFrozenScored(int layer, Span<float> scores) => Score("frozen scored", layer, scores);

                public void ScoreVisual<TScorer>(Span<float> scores)
                    where TScorer : struct, ITokenScorer
                {
                    Calls.Add($"{typeof(TScorer).Name.Split('`')[0]} over {VisualTokens} into {scores.Length}");
                    float[] rows = new float[VisualTokens];
                    for (int i = 0; i < rows.Length; i++)
                    {
                        rows[i] = i;
                    }

                    TScorer.Score(new TokenScoreContext(rows), scores);
                }

                public void KeepVisual(ReadOnlySpan<int> kept)
                {
                    Calls.Add($"keep {kept.Length} from {kept[0]}");
                    VisualTokens = kept.Length;
                }

                public ReadOnlySpan<float> VisualRows => new float[3 * VisualTokens];

                public AttentionMap AttentionMap => new(VisualTokens);

                public void RunAttention(int layer) => Calls.Add($"attention {layer} over {VisualTokens}");

                public void RunFeedForward(int layer) => Calls.Add($"feed-forward {layer} over {VisualTokens}");

                public RowMerge Merge(int rows) => new(new int[rows]);

                public Span<float> Scratch(int count) => new float[count];

                public void MergeVisual(RowMerge merge)
                {
                    Calls.Add($"merge {VisualTokens} into {merge.Kept.Length} from {merge.Kept[0]}");
                    VisualTokens = merge.Kept.Length;
                }

                public void RunTextScored(int layer, Span<float> scores) => Score("text scored", layer, scores);

                public void RunFrozenTextScored(int layer, Span<float> scores) => Score("frozen text scored", layer, scores);

                public ReadOnlySpan<float> TextKeyNorms => new float[4];

                public ReadOnlySpan<float> FinalNorm() => new float[3 * (VisualTokens + 4)];

                public void RunKeyNormed(int layer, Span<float> scores) => Score("key normed", layer, scores);

                public void RunFrozenKeyNormed(int layer, Span<float> scores) => Score("frozen key normed", layer, scores);

                public void RunPageRanked(int layer, Span<float> scores) => Score("page ranked", layer, scores);

                public void ChooseRaters() => Calls.Add("raters");

                public int RaterRank => 3;

                public RaterAttention RaterAttention => new(VisualTokens);

                public void RunRaterScored(int layer, Span<float> scores) => Score("rater scored", layer, scores);

                public void RunFrozenRaterScored(int layer, Span<float> scores) => Score("frozen rater scored", layer, scores);

                public void ScoreAhead(int layer, Span<float> scores) => Score("ask", layer, scores);

                public void RenumberRows() => Calls.Add("renumber");

                // No gate before layer 3 says exit, so that loops are seen to go on without the visual tokens, and to stop asking.
                public bool Gate(int layer)
                {
                    Calls.Add($"gate {layer}");
                    return layer >= 3;
                }

                public void ExitVisual()
                {
                    Calls.Add("exit");
                    VisualTokens = 0;
                }

                public void EndPrefill() => Calls.Add("logits");

                public void BeginDecode() => Calls.Add("decode");

                public void RunDecode(int layer) => Calls.Add($"decode {layer}");

                public void EvictText(int initial, int neighbours) => Calls.Add($"evict all but {initial} and {neighbours}");

                public int AnswerTokens => int.MaxValue;

                public void RunDecodeAttention(int layer) => Calls.Add($"decode attention {layer}");

                // Some rows turn and some do not, so that loops are seen to skip and to stop skipping.
                public float RunDecodeFeedForward(int layer)
                {
                    Calls.Add($"decode feed-forward {layer}");
                    return layer % 4 == 0 ? 0 : 1;
                }

                public void SkipFeedForward(int layer) => Calls.Add($"skip {layer}");

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
                static abstract void Score(in TokenScoreContext context, Span<float> scores);
            }

            /// <summary>Rows of one number each, ascending.</summary>
            public readonly ref struct TokenScoreContext(ReadOnlySpan<float> rows)
            {
                private readonly ReadOnlySpan<float> _rows = rows;

                public int Layer => 0;

                public int Count => _rows.Length;

                public ReadOnlySpan<float> Row(int index) => _rows.Slice(index, 1);
            }

            public struct Ascending : ITokenScorer
            {
                public static void Score(in TokenScoreContext context, Span<float> scores)
                {
                    for (int i = 0; i < context.Count; i++)
                    {
                        scores[i] = context.Row(i)[0];
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

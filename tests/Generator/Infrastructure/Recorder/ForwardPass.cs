#pragma warning disable CS1591 // Not the public face of anything.
using System;
using System.Collections.Generic;

namespace Espalier;

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

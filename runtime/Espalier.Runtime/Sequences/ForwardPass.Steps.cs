using Espalier.Planning;

namespace Espalier;

// The steps between layers: what ranks rows, what lets them leave, and the scratch for both.
public sealed partial class ForwardPass
{
    /// <summary>The hidden rows of the visual tokens, fp32, row-major <c>[VisualTokens, hidden]</c>: the residual stream, before any norm. Valid until the next call.</summary>
    public ReadOnlySpan<float> VisualRows
    {
        get
        {
            Require(_phase == PassPhase.Prefill, "rows are read in prefill only");
            return _rows.VisualRows(_map.Count);
        }
    }

    /// <summary>Visual rows that the decoder started with.</summary>
    public int EnteredTokens => _map.Entered;

    /// <summary>The attention of the layer whose first half has just run. Only between <see cref="RunAttention"/> and the merge inside of the layer.</summary>
    public AttentionMap AttentionMap
    {
        get
        {
            Require(_phase == PassPhase.Prefill && _halfRun, "the map is there behind the attention of a layer that runs in halves");
            int rows = _map.Count + _suffixRows;
            return new AttentionMap(_readings.Map, (_readings.Map.Length / rows) - rows, _map.Count, _suffixRows - _plan.Registers, _plan.Registers);
        }
    }

    /// <summary>The L1 norms of the keys of the text rows behind the image, in the layer that ran last. Only behind <see cref="RunKeyNormed"/>; valid until the next layer.</summary>
    public ReadOnlySpan<float> TextKeyNorms
    {
        get
        {
            Require(_phase == PassPhase.Prefill && _nextLayer > 0 && _plan.KindAt(_nextLayer - 1).IsKeyNormed() && _textScores > 0, "the norms are there behind a layer that reads them");
            return _readings.Scores.Slice(_textScores + _plan.Registers, _suffixRows - _plan.Registers);
        }
    }

    /// <summary>All rows of the pass behind the model's final norm, <c>[visual and suffix, hidden]</c>: the visual rows first, the text rows last. The rows themselves stay as they are. Valid until the next call.</summary>
    public ReadOnlySpan<float> FinalNorm()
    {
        Require(_phase == PassPhase.Prefill && !_halfRun && _finalNorm is not null, "rows are normed for a step that reads them so");
        _cancellation.ThrowIfCancellationRequested();
        _rows.Rejoin(_map.Count, _suffixRows);
        return _rows.Beside(_finalNorm);
    }

    /// <summary>Reads the softmax attention that the last row would pay to each visual row in the next layer if that ran now, mean over heads (PyramidDrop, arXiv 2410.17247). The layer does not run.</summary>
    /// <param name="layer">The next layer.</param>
    /// <param name="scores">Receives one score a visual row; its length is <see cref="VisualTokens"/>.</param>
    public void ScoreAhead(int layer, Span<float> scores)
    {
        Require(_phase == PassPhase.Prefill && layer == _nextLayer && !_halfRun, "the layer that is asked is the next one");
        Require(scores.Length == _map.Count, "one score a visual token is read");
        _cancellation.ThrowIfCancellationRequested();
        LayerBinding binding = _bindings.Ahead(layer);
        int firstVisual = _cache.Length(layer);
        _rows.Rejoin(_map.Count, _suffixRows);
        _cache.CountKeys(layer);
        _rows.BindAhead(binding);
        _readings.BindScores(binding, firstVisual + _rows.Count);
        binding.Run();
        _readings.Scores.Slice(firstVisual, scores.Length).CopyTo(scores);
    }

    /// <summary>Lets a scorer of the user's rank the visual rows. The call is direct: <typeparamref name="TScorer"/> is a struct, so this method is compiled for it alone.</summary>
    /// <typeparam name="TScorer">The scorer.</typeparam>
    /// <param name="scores">Receives one score a visual row; its length is <see cref="VisualTokens"/>.</param>
    public void ScoreVisual<TScorer>(Span<float> scores)
        where TScorer : struct, ITokenScorer
    {
        Require(_phase == PassPhase.Prefill, "rows are ranked in prefill only");
        Require(_map.Count > 0 && scores.Length == _map.Count, "one score a visual token is written");

        // A scorer that adds up, or leaves a token out, must not see what was in the scratch before.
        scores.Clear();
        TScorer.Score(new TokenScoreContext(_rows.VisualRows(_map.Count), _map.Tokens, _nextLayer - 1), scores);
    }

    /// <summary>Keeps some visual rows, with their positions; the others leave the sequence.</summary>
    /// <param name="kept">Strictly ascending indices into the current visual rows.</param>
    /// <exception cref="ArgumentException">An index is out of range or not ascending.</exception>
    public void KeepVisual(ReadOnlySpan<int> kept)
    {
        Require(_phase == PassPhase.Prefill && !_halfRun, "rows leave in prefill, behind a whole layer");
        int before = _map.Count;
        _map.CheckKept(kept);
        _map.Keep(kept, _nextLayer - 1);
        _rows.Keep(kept, before, _suffixRows);
    }

    /// <summary>Opens a merge of the visual rows, for a kernel to fill. Its shares are zero, and each row that stays takes all of itself. In memory of the pass, valid until <see cref="MergeVisual"/>.</summary>
    /// <param name="rows">Visual rows that stay.</param>
    public RowMerge Merge(int rows)
    {
        Require(_phase == PassPhase.Prefill && rows > 0 && (rows < _map.Count || (rows == _map.Count && _plan.IsDynamic)), "rows are merged in prefill, into fewer");
        return _merge.Begin(rows, _map.Count - rows, _suffixRows);
    }

    /// <summary>Lets visual rows that stay take in those that leave.</summary>
    /// <param name="merge">What <see cref="Merge"/> handed out, filled: every visual row is in it once. Rows that stay ascend unless <see cref="RenumberRows"/> follows.</param>
    /// <exception cref="ArgumentException">An index is out of range, repeated or not ascending.</exception>
    public void MergeVisual(RowMerge merge)
    {
        Require(_phase == PassPhase.Prefill, "rows are merged in prefill only");
        Require(merge.Rows == _map.Count && _merge.Owns(merge), "the merge is the one that the pass handed out for these rows");
        int before = _map.Count;
        _map.Merge(merge, _nextLayer - 1, _halfRun);
        if (merge.Absorbed.IsEmpty)
        {
            _rows.Keep(merge.Kept, before, _suffixRows);
        }
        else
        {
            _rows.Merge(_merge, before, _suffixRows);
        }
    }

    /// <summary>Keeps those text rows behind the image whose score reaches a multiple of the mean of all of them, with their positions; the last row always stays. The scores are those of the scored layer that ran last.</summary>
    /// <param name="theta">The multiple.</param>
    public void KeepRelevantText(double theta)
    {
        Require(_phase == PassPhase.Prefill && _plan.RelevantTextAfter(_nextLayer - 1) == theta && _textScores > 0, "text rows leave where the plan says so, behind a layer that scores them");
        Span<int> kept = Kept(_suffixRows);

        // Registers, the first rows behind the image, are no text: they stay.
        int registers = _plan.Registers;
        Span<int> text = kept[registers..];
        int count = RelevantTokens.Select(_readings.Scores.Slice(_textScores + registers, text.Length), theta, text);
        if (text[count - 1] != text.Length - 1)
        {
            text[count++] = text.Length - 1;
        }

        for (int i = 0; i < registers + count; i++)
        {
            kept[i] = i < registers ? i : kept[i] + registers;
        }

        _raters.Keep(kept[registers..(registers + count)], registers);
        count += registers;
        _textScores = 0;
        _text?.KeepBehindImage(kept[..count]);
        _rows.KeepText(kept[..count], _map.Count, _suffixRows);
        _suffixRows = count;
        _textSteps++;
    }

    /// <summary>Numbers the rows without gaps from the prefix on. In the layers that follow, decoded tokens follow on these numbers.</summary>
    public void RenumberRows()
    {
        Require(_phase == PassPhase.Prefill && _nextLayer < _numberings.Length, "rows are renumbered in prefill only");

        // Rows may be renumbered inside a layer and behind the same layer once more.
        bool isDue = _halfRun ? _plan.StepInside(_nextLayer - 1)?.Positions == Positions.Renumber && _numbering == _numberings[_nextLayer - 1] : _numbering + 1 == _numberings[_nextLayer];
        Require(isDue, "the plan renumbers the rows after another step");

        // Text rows that left are numbered no more either.
        _shifts[++_numbering] = _map.ImagePositions - _map.Count + _enteredSuffixRows - _suffixRows;
        _rows.Rejoin(_map.Count, _suffixRows);
        _rows.Renumber();
    }

    /// <summary>Asks the gate behind the layer that ran last whether the visual rows leave now (DyVTE, arXiv 2411.19628). Where it says so, <see cref="ExitVisual"/> follows and no further gate is asked.</summary>
    /// <param name="layer">The layer that ran last.</param>
    public bool Gate(int layer)
    {
        Require(_phase == PassPhase.Prefill && _plan.Gates?.IsBehind(layer) == true && layer == _nextLayer - 1, "the plan has no gate here");
        Require(_map.Count > 0 && _askedGate < layer, "a gate is asked once, and while there are visual tokens");
        _cancellation.ThrowIfCancellationRequested();
        _rows.Rejoin(_map.Count, _suffixRows);
        _askedGate = layer;
        _exitDue = _gates!.Exits(layer, _rows.Current, _suffixRows);
        return _exitDue;
    }

    /// <summary>All visual rows leave the sequence.</summary>
    public void ExitVisual()
    {
        Require(_phase == PassPhase.Prefill && !_halfRun, "rows leave in prefill, behind a whole layer");
        int before = _map.Count;
        if (_plan.Gates is null)
        {
            _map.Keep([], _nextLayer - 1);
        }
        else
        {
            Require(_exitDue, "no gate said that the visual tokens leave");
            _exitDue = false;
            _map.Leave();
        }

        ExitLayer = _nextLayer - 1;
        _rows.Exit(before, _suffixRows);
    }

    /// <summary>Scratch for a kernel, owned by the pass and valid until the next call.</summary>
    /// <param name="count">Elements.</param>
    public Span<float> Scratch(int count) => _scratch.Lend(count);

    /// <summary>Scratch for scores, owned by the pass and valid until the next call.</summary>
    /// <param name="count">Elements.</param>
    public Span<float> Scores(int count) => _scores.Lend(count);

    /// <summary>Scratch for kept indices, owned by the pass and valid until the next call.</summary>
    /// <param name="count">Elements.</param>
    public Span<int> Kept(int count) => _kept.Lend(count);
}

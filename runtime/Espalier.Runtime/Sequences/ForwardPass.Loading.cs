using Espalier.Planning;

namespace Espalier;

// What the runtime does around a loop: rows in place before it, and the way back after a failure.
public sealed partial class ForwardPass
{
    /// <summary>Releases the buffers; the sequence calls it, no loop does.</summary>
    internal void Dispose()
    {
        _runs.Dispose();
        _bindings.Dispose();
        _gates?.Dispose();
        _finalNorm?.Dispose();
        _head.Dispose();
        _cache.Dispose();
    }

    /// <summary>Runs text rows alone through all layers, from an empty cache: the prefix.</summary>
    internal void RunPrefix(EmbeddingTable embeddings, ReadOnlySpan<int> prefix, CancellationToken cancellation)
    {
        Reset();
        _cancellation = cancellation;
        _rows.LoadText(embeddings, prefix, firstPosition: 0);
        for (int layer = 0; layer < _plan.Geometry.Text.Layers; layer++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (layer == HeldTextLayer)
            {
                RunInPlace(layer);
                continue;
            }

            RunRows(layer, _bindings.Dense(layer));
        }
    }

    /// <summary>Puts the visual rows of an encoded image and the suffix in place behind a prefix that the cache holds.</summary>
    internal void LoadPrompt(ImagePass image, EmbeddingTable embeddings, ReadOnlySpan<int> prefix, ReadOnlySpan<int> suffix, CancellationToken cancellation)
    {
        int prefixRows = prefix.Length;
        _cache.SetLength(prefixRows);
        _cancellation = cancellation;
        _suffixRows = _plan.Registers + suffix.Length;
        _enteredSuffixRows = _suffixRows;
        if (_plan.IsDynamic)
        {
            int rows = _plan.DecoderVisualTokens + _suffixRows;
            _rows.Reserve(rows);
            _readings.ReserveScores(prefixRows + rows);
            if (_plan.MergesInDecoder)
            {
                _merge.Reserve(_plan.DecoderVisualTokens, _suffixRows);
            }
        }

        _partial?.Forget();
        _rows.LoadPrompt(image, embeddings, prefixRows, _map, _sessions.Registers, suffix);
        _numbering = 0;
        _textScores = 0;
        _raters.Clear();
        _textSteps = 0;
        _askedGate = -1;
        _exitDue = false;
        ExitLayer = null;
        BeginAnswer();
        _text?.Begin(prefix, _plan.Registers, suffix);
        _phase = PassPhase.PrefillReady;
    }

    /// <summary>Embeds the token of the next decode step.</summary>
    internal void LoadToken(EmbeddingTable embeddings, int token, int position, CancellationToken cancellation)
    {
        LoadRow(embeddings, token, position, cancellation);
        AnswerTokens++;
    }

    /// <summary>Embeds the token of the next step of a batch, and notes its place.</summary>
    internal void LoadToken(BatchDecode batch, int slot, EmbeddingTable embeddings, int token, int position)
    {
        RequirePrompt();
        if (_text is not null)
        {
            // The loop of a batch is not the generated one: what leaves before a step leaves here.
            _text.Load([token]);
            _text.Evict(_cache);
            for (int layer = 0; layer < _numberings.Length; layer++)
            {
                _text.PlaceLoaded(layer, _cache.Length(layer));
            }
        }

        batch.Load(slot, _cache, embeddings, token, position, _shifts);
    }

    /// <summary>Embeds text that follows what the sequence holds; the next decode step runs all of it.</summary>
    internal void LoadText(EmbeddingTable embeddings, ReadOnlySpan<int> tokens, int position, CancellationToken cancellation)
    {
        if (tokens.Length == 1)
        {
            LoadRow(embeddings, tokens[0], position, cancellation);
            BeginAnswer();
            return;
        }

        RequirePrompt();
        BeginAnswer();
        _cancellation = cancellation;
        _decodeRows = tokens.Length;
        _text?.Load(tokens);
        _rows.LoadText(embeddings, tokens, position);
        _numbering = 0;
    }

    /// <summary>How many tokens of a text that follows go through the layers at once: all, or those up to which no row leaves.</summary>
    internal int PieceOf(ReadOnlySpan<int> tokens) => _text?.Piece(tokens) ?? tokens.Length;

    /// <summary>Forgets the last text rows in every layer.</summary>
    internal void Drop(int rows)
    {
        RequirePrompt();
        _cache.Drop(rows);
        _text?.Drop(rows);
    }

    /// <summary>The visual rows that the last prefill had in each segment of the plan.</summary>
    internal EquatableArray<int> SegmentTokens()
    {
        var counts = new int[_plan.Segments.Count];
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] = _visualTokens[_plan.Segments[i].FirstLayer];
        }

        return new EquatableArray<int>(counts);
    }

    /// <summary>Fails if the loop returned before its end.</summary>
    internal void RequireLogits() => Require(_phase == PassPhase.DecodeReady, "the loop ends with the logits");

    /// <summary>Forgets everything: after a failure or a cancellation the sequence starts anew.</summary>
    internal void Reset()
    {
        _phase = PassPhase.Idle;
        _cache.SetLength(0);
    }

    /// <summary>Forgets all but the rows of the prefix: a prefill comes next.</summary>
    internal void Retire(int prefixRows)
    {
        _phase = PassPhase.Idle;
        _cache.SetLength(prefixRows);
    }

    private void LoadRow(EmbeddingTable embeddings, int token, int position, CancellationToken cancellation)
    {
        RequirePrompt();
        _cancellation = cancellation;
        _decodeRows = 1;
        _text?.Load([token]);
        _bindings.LoadDecode(embeddings, token, position, _shifts);
    }

    // What decode steps skip is counted answer by answer; text that is added begins one.
    private void BeginAnswer()
    {
        AnswerTokens = 0;
        SkippedFeedForwards = 0;
    }

    private void RequirePrompt()
    {
        if (_phase != PassPhase.DecodeReady)
        {
            throw new InvalidOperationException("The sequence holds no prompt: run a prefill before decoding, also after a cancelled or failed call.");
        }
    }
}

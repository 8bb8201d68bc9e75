using Espalier.Text;

namespace Espalier.Extensions.AI;

/// <summary>A bounded number of sequences of one model. A request gets the one that holds the most of its conversation; else a new one; else the one that was used longest ago.</summary>
/// <remarks>Thread-safe. Requests beyond the bound wait in the order of their arrival.</remarks>
internal sealed class SequencePool : IDisposable
{
    private readonly VisionLanguageModel _model;
    private readonly int _capacity;
    private readonly int _maximum;
    private readonly SemaphoreSlim _permits;
    private readonly List<PooledSequence> _idle = [];
    private readonly Lock _lock = new();
    private int _created;
    private bool _disposed;

    public SequencePool(VisionLanguageModel model, int capacity, int maximum)
    {
        _model = model;
        _capacity = capacity;
        _maximum = maximum;
        _permits = new SemaphoreSlim(maximum, maximum);
    }

    /// <summary>Positions of each sequence.</summary>
    public int Capacity => _capacity;

    /// <summary>Waits for a sequence.</summary>
    /// <param name="image">What names the image; equal bytes are the same picture.</param>
    /// <param name="prompt">The conversation.</param>
    /// <param name="cancellationToken">Ends waiting.</param>
    /// <returns>A sequence that nobody else has, to be given back by <see cref="Return"/>.</returns>
    public async ValueTask<PooledSequence> RentAsync(ImageKey image, Prompt prompt, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed), typeof(EspalierChatClient));
        await _permits.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return Take(image, prompt) ?? Create();
        }
        catch
        {
            _permits.Release();
            throw;
        }
    }

    /// <summary>Gives a sequence back, whatever became of the request.</summary>
    public void Return(PooledSequence sequence)
    {
        lock (_lock)
        {
            if (_disposed)
            {
                sequence.Sequence.Dispose();
            }
            else
            {
                // The end of the list is the one that was used last.
                _idle.Add(sequence);
            }
        }

        _permits.Release();
    }

    /// <summary>Disposes idle sequences now and the others when they are given back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (PooledSequence idle in _idle)
            {
                idle.Sequence.Dispose();
            }

            _idle.Clear();
        }
    }

    private PooledSequence? Take(ImageKey image, Prompt prompt)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(EspalierChatClient));
            int best = -1;
            int most = 0;
            for (int i = 0; i < _idle.Count; i++)
            {
                int held = _idle[i].Image == image ? _idle[i].Sequence.HeldTokens(prompt) : 0;
                if (held > most)
                {
                    (best, most) = (i, held);
                }
            }

            if (best < 0 && _created == _maximum)
            {
                best = 0;
            }

            if (best < 0)
            {
                _created++;
                return null;
            }

            PooledSequence taken = _idle[best];
            _idle.RemoveAt(best);
            taken.HoldsConversation = most > 0;
            return taken;
        }
    }

    private PooledSequence Create()
    {
        try
        {
            return new PooledSequence(_model.CreateSequence(_capacity));
        }
        catch
        {
            lock (_lock)
            {
                _created--;
            }

            throw;
        }
    }
}

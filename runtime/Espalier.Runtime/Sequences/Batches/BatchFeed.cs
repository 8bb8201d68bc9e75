using System.Threading.Channels;
using Espalier.Vision;

namespace Espalier;

/// <summary>A question whose image is in memory, or could not be read.</summary>
internal readonly record struct LoadedQuestion(int Index, string Question, RgbImage Image, Exception? Error);

/// <summary>Reads the images of questions ahead, several at a time and in whatever order they get ready: a slow one holds up nobody else.</summary>
/// <remarks>One reader and one call of <see cref="RunAsync"/>.</remarks>
internal sealed class BatchFeed(int ahead) : IDisposable
{
    private readonly SemaphoreSlim _room = new(ahead);
    private readonly Channel<LoadedQuestion> _ready = Channel.CreateUnbounded<LoadedQuestion>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Reads all questions.</summary>
    /// <param name="questions">The questions.</param>
    /// <param name="cancellationToken">Ends reading.</param>
    public async Task RunAsync(IAsyncEnumerable<BatchQuestion> questions, CancellationToken cancellationToken)
    {
        Exception? error = null;
        var loads = new List<Task>();
        try
        {
            int index = 0;
            await foreach (BatchQuestion question in questions.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
                loads.RemoveAll(static load => load.IsCompleted);
                int number = index++;
                loads.Add(Task.Run(() => LoadAsync(number, question, cancellationToken), CancellationToken.None));
            }
        }
        catch (Exception exception)
        {
            error = exception;
        }

        await Task.WhenAll(loads).ConfigureAwait(false);
        _ready.Writer.Complete(error);
    }

    /// <summary>The next question that is ready, if there is one.</summary>
    public bool TryTake(out LoadedQuestion question)
    {
        bool taken = _ready.Reader.TryRead(out question);
        if (taken)
        {
            _room.Release();
        }

        return taken;
    }

    /// <summary>Waits until a question is ready.</summary>
    /// <returns>False if none will come.</returns>
    /// <exception cref="Exception">What the questions' own enumeration threw, behind the last question before.</exception>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _ready.Reader.WaitToReadAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _room.Dispose();

    private async Task LoadAsync(int index, BatchQuestion? question, CancellationToken cancellationToken)
    {
        LoadedQuestion loaded;
        try
        {
            ArgumentNullException.ThrowIfNull(question);
            RgbImage image = await question.LoadAsync(cancellationToken).ConfigureAwait(false);
            loaded = new LoadedQuestion(index, question.Question, image, null);
        }
        catch (Exception exception)
        {
            loaded = new LoadedQuestion(index, question?.Question ?? "", default, exception);
        }

        _ready.Writer.TryWrite(loaded);
    }
}

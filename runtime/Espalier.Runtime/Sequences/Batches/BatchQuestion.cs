using Espalier.Vision;

namespace Espalier;

/// <summary>A question about an image, for a batch.</summary>
/// <remarks>Immutable; the image is loaded once, on a thread of the pool, before its turn comes.</remarks>
public sealed class BatchQuestion
{
    private readonly Func<CancellationToken, ValueTask<RgbImage>> _load;

    /// <summary>A question about an image in memory.</summary>
    /// <param name="image">8-bit RGB pixels of any size. They stay unchanged until the answer is there.</param>
    /// <param name="question">The question; put into the family's prompt.</param>
    public BatchQuestion(RgbImage image, string question)
        : this(_ => ValueTask.FromResult(image), question)
    {
    }

    /// <summary>A question about an image that is read when its turn comes near: a batch keeps only about as many images in memory as it has slots.</summary>
    /// <param name="load">Reads the image, on any thread and beside others. What it throws becomes the error of this question alone; while it waits, other questions are answered.</param>
    /// <param name="question">The question; put into the family's prompt.</param>
    public BatchQuestion(Func<CancellationToken, ValueTask<RgbImage>> load, string question)
    {
        ArgumentNullException.ThrowIfNull(load);
        ArgumentNullException.ThrowIfNull(question);
        _load = load;
        Question = question;
    }

    /// <summary>The question.</summary>
    public string Question { get; }

    internal ValueTask<RgbImage> LoadAsync(CancellationToken cancellationToken) => _load(cancellationToken);
}

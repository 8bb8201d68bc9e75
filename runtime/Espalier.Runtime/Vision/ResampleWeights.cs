using System.Buffers;

namespace Espalier.Vision;

/// <summary>
/// The weights that turn a line of <c>inputSize</c> samples into a window of a line of <c>outputSize</c> samples.
/// When the line shrinks, the filter is widened by the ratio, so that every input sample counts (antialiasing).
/// Weights are fixed-point numbers with <see cref="FractionBits"/> fraction bits, as in PIL: with 8-bit samples and two
/// spare bits for the overshoot of negative lobes, a sum fits 32 bits.
/// </summary>
internal readonly struct ResampleWeights : IDisposable
{
    /// <summary>32 bits, less 8 of the sample, less 2 for overshoot.</summary>
    public const int FractionBits = 32 - 8 - 2;

    private readonly int[] _starts;
    private readonly int[] _lengths;
    private readonly int[] _weights;
    private readonly int _stride;

    /// <summary>Computes the weights of output samples <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1. The arrays are pooled: dispose once.</summary>
    public ResampleWeights(int inputSize, int outputSize, int first, int count, ResampleFilter filter)
    {
        double scale = (double)inputSize / outputSize;
        double filterScale = Math.Max(scale, 1.0);
        double inverseFilterScale = 1.0 / filterScale;
        double support = ResampleKernel.Support(filter) * filterScale;

        Count = count;
        _stride = Math.Min(((int)Math.Ceiling(support) * 2) + 1, inputSize);
        _starts = ArrayPool<int>.Shared.Rent(count);
        _lengths = ArrayPool<int>.Shared.Rent(count);
        _weights = ArrayPool<int>.Shared.Rent(checked(_stride * count));

        double[] exact = ArrayPool<double>.Shared.Rent(_stride);
        for (int i = 0; i < count; i++)
        {
            double center = (first + i + 0.5) * scale;
            int start = Math.Max((int)(center - support + 0.5), 0);
            int length = Math.Min((int)(center + support + 0.5), inputSize) - start;

            double sum = 0.0;
            for (int tap = 0; tap < length; tap++)
            {
                double weight = ResampleKernel.Evaluate(filter, (tap + start - center + 0.5) * inverseFilterScale);
                exact[tap] = weight;
                sum += weight;
            }

            Span<int> target = _weights.AsSpan(i * _stride, length);
            for (int tap = 0; tap < length; tap++)
            {
                double scaled = (sum != 0.0 ? exact[tap] / sum : exact[tap]) * (1 << FractionBits);
                target[tap] = (int)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
            }

            _starts[i] = start;
            _lengths[i] = length;
        }

        ArrayPool<double>.Shared.Return(exact);
    }

    /// <summary>The number of output samples.</summary>
    public int Count { get; }

    /// <summary>The first input sample that any output sample reads.</summary>
    public int FirstInput => _starts[0];

    /// <summary>One past the last input sample that any output sample reads.</summary>
    public int EndInput => _starts[Count - 1] + _lengths[Count - 1];

    /// <summary>The first input sample that output sample <paramref name="index"/> of the window reads.</summary>
    public int Start(int index) => _starts[index];

    /// <summary>The weights of output sample <paramref name="index"/> of the window, one for each input sample from <see cref="Start"/> on.</summary>
    public ReadOnlySpan<int> Taps(int index) => _weights.AsSpan(index * _stride, _lengths[index]);

    /// <summary>Gives the arrays back to the pool.</summary>
    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(_starts);
        ArrayPool<int>.Shared.Return(_lengths);
        ArrayPool<int>.Shared.Return(_weights);
    }
}

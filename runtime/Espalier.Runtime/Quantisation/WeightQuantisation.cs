using System.Buffers;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Microsoft.Win32.SafeHandles;

namespace Espalier;

/// <summary>Makes a file of quantised weights from those of a checkpoint or of a file of learned ones.</summary>
internal static class WeightQuantisation
{
    /// <summary>Writes the file beside its final name and moves it there when it is whole, so that another process sees all of it or nothing.</summary>
    /// <remarks>Equal weights give equal bytes, so of two processes that do this at once the later one replaces the file by itself.</remarks>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="layout">What the file holds, and where the weights come from.</param>
    /// <param name="progress">Called after each weight with the count of those that are done.</param>
    /// <param name="cancellationToken">Ends the work and leaves nothing behind.</param>
    /// <exception cref="NonFiniteWeightException">A weight is infinite or not a number.</exception>
    /// <exception cref="IOException">The disk is full, or the file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written to.</exception>
    public static void Write(string path, QuantisedLayout layout, Action<int> progress, CancellationToken cancellationToken)
    {
        // A source that changes from now on is younger than the file.
        DateTime begun = DateTime.UtcNow;
        string temporary = path + "." + Path.GetRandomFileName() + TemporarySuffix;
        try
        {
            using (SafeFileHandle file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, preallocationSize: layout.Tensors.Sum(static tensor => tensor.ByteLength)))
            {
                Write(file, layout, progress, cancellationToken);
                File.SetLastWriteTimeUtc(file, begun);
                RandomAccess.FlushToDisk(file);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>What the names of unfinished files end in.</summary>
    public const string TemporarySuffix = ".tmp";

    private static void Write(SafeFileHandle file, QuantisedLayout layout, Action<int> progress, CancellationToken cancellationToken)
    {
        string sample = SourceDigest.Sample(layout);
        var writer = new SafetensorsWriter(file, layout.Tensors, QuantisedWeights.Metadata(layout, sample, new string('0', SourceDigest.Length), new string('0', Checksum.Length)));
        var digests = new byte[layout.Weights.Count][];
        uint[] checksums = new uint[layout.Tensors.Count];
        using CheckpointLease lease = layout.Source.Lease();
        for (int i = 0; i < layout.Weights.Count; i++)
        {
            QuantisedWeight weight = layout.Weights[i];
            CheckpointTensor source = layout.Source.GetTensor(weight.Name, weight.Shape);
            using NativeBuffer integers = NativeBuffer.Allocate((nuint)weight.Integers.ByteCount);
            using NativeBuffer scales = NativeBuffer.Allocate((nuint)weight.Scales.ByteCount);
            Task<byte[]> digest = Task.Run(() => SourceDigest.Of(source), CancellationToken.None);
            try
            {
                Quantise(source, layout.Format, weight, integers, scales, cancellationToken);
            }
            finally
            {
                // It reads the mapping.
                digests[i] = digest.GetAwaiter().GetResult();
            }

            writer.Write(weight.Scales.Name, 0, scales.AsSpan<byte>());
            writer.Write(weight.Integers.Name, 0, integers.AsSpan<byte>());

            // The scales of all weights come before the integers.
            checksums[i] = Checksum.Of(scales.Pointer, (long)scales.ByteLength);
            checksums[layout.Weights.Count + i] = Checksum.Of(integers.Pointer, (long)integers.ByteLength);
            progress(i + 1);
        }

        writer.Finish(QuantisedWeights.Metadata(layout, sample, SourceDigest.Join(digests), Checksum.Join(checksums)));
    }

    private static void Quantise(CheckpointTensor source, QuantisedFormat format, QuantisedWeight weight, NativeBuffer integers, NativeBuffer scales, CancellationToken cancellationToken)
    {
        int tiles = (weight.Outputs + QuantisedFormat.TileOutputs - 1) / QuantisedFormat.TileOutputs;
        var result = Parallel.For(0, tiles, new ParallelOptions { CancellationToken = cancellationToken }, (tile, state) =>
        {
            int first = tile * QuantisedFormat.TileOutputs;
            int count = Math.Min(QuantisedFormat.TileOutputs, weight.Outputs - first);
            float[] rented = ArrayPool<float>.Shared.Rent(count * weight.Inputs);
            try
            {
                Span<float> rows = rented.AsSpan(0, count * weight.Inputs);
                source.ReadFloats((long)first * weight.Inputs, rows);
                if (!format.Quantise(rows, first, count, weight.Outputs, integers.AsSpan<byte>(), scales.AsSpan<float>()))
                {
                    state.Stop();
                }
            }
            finally
            {
                ArrayPool<float>.Shared.Return(rented);
            }
        });
        if (!result.IsCompleted)
        {
            throw new NonFiniteWeightException(source.File, source.Name);
        }
    }
}

using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.Graphs.Onnx;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Writes the graph that a session runs as an <c>.onnx</c> file, for viewers and for other programs.</summary>
internal static class GraphFile
{
    /// <summary>What a weight is aligned to in its file, so that readers can map it.</summary>
    private const int Alignment = 4096;

    /// <summary>The most that a file in this format may have: its lengths are 32-bit.</summary>
    private const long MostEmbedded = int.MaxValue - (1 << 20);

    /// <summary>Writes a part of a model.</summary>
    /// <param name="checkpoint">The weights.</param>
    /// <param name="key">The part; its format is that of the options' precision.</param>
    /// <param name="options">Device and precision.</param>
    /// <param name="path">The file; the weights go beside it, into the same name with <c>.data</c> behind.</param>
    /// <param name="embed">True to put the weights into the file itself.</param>
    /// <returns>Bytes of the weights.</returns>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="UnsupportedGeometryException">The weights are too large to be embedded.</exception>
    public static long Write(Checkpoint checkpoint, SessionKey key, ModelOptions options, string path, bool embed)
    {
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            PrecisionFormats formats = PrecisionFormats.For(options.Precision ?? Precision.Float32, CpuExecutionProvider.Instance);
            cache.Prepare(formats, options);
            bool isVision = key.Part is ModelPart.Vision or ModelPart.ScoredVision or ModelPart.Projector;
            key = key with { Provider = CpuExecutionProvider.Instance, Format = isVision ? formats.Vision : formats.Decoder, Rows = formats.Rows };
            GraphModel graph = PartGraphs.InPrecision(key, PartGraphs.Build(checkpoint, key));
            long total = graph.Weights.Sum(static use => use.ByteCount);
            if (!embed)
            {
                WriteBeside(cache, graph, path);
            }
            else if (total > MostEmbedded)
            {
                throw new UnsupportedGeometryException($"{path}: the weights have {total} bytes, and an .onnx file holds {MostEmbedded} at most. Leave them in a file of their own.");
            }
            else
            {
                File.WriteAllBytes(path, graph.WithWeightsAt(use => new WeightPlace("", 0, cache.Weight(use).AsSpan<byte>().ToArray())));
            }

            return total;
        }
        finally
        {
            cache.Release();
        }
    }

    /// <summary>Writes any graph over the weights of a checkpoint, which go beside it.</summary>
    /// <inheritdoc cref="Write(Checkpoint, SessionKey, ModelOptions, string, bool)"/>
    public static void Write(Checkpoint checkpoint, GraphModel graph, ModelOptions options, string path)
    {
        SessionCache cache = checkpoint.ShareSessions();
        try
        {
            cache.Prepare(PrecisionFormats.For(options.Precision ?? Precision.Float32, CpuExecutionProvider.Instance), options);
            WriteBeside(cache, graph, path);
        }
        finally
        {
            cache.Release();
        }
    }

    private static void WriteBeside(SessionCache cache, GraphModel graph, string path)
    {
        string data = path + ".data";
        var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
        using (var file = new FileStream(data, FileMode.Create, FileAccess.Write))
        {
            foreach (WeightUse use in graph.Weights)
            {
                file.Position = (file.Position + Alignment - 1) / Alignment * Alignment;
                offsets.Add(use.Name, file.Position);
                Write(file, cache.Weight(use));
            }
        }

        string name = Path.GetFileName(data);
        File.WriteAllBytes(path, graph.WithWeightsAt(use => new WeightPlace(name, offsets[use.Name])));
    }

    private static unsafe void Write(FileStream file, OrtValue value)
    {
        const int Piece = 1 << 24;
        byte* bytes = (byte*)value.DataPointer;
        for (nuint done = 0; done < value.ByteLength; done += Piece)
        {
            file.Write(new ReadOnlySpan<byte>(bytes + done, (int)Math.Min((nuint)Piece, value.ByteLength - done)));
        }
    }
}

using System.Numerics.Tensors;

namespace Espalier;

/// <summary>How relevant each patch is to a question by CLIP, as CDPruner's code takes it: minus the cosine of the two embeddings, mean over the segments of the question.</summary>
/// <remarks>Bound once for one sequence. A question that is longer than the tower takes is cut into segments, each with the token that starts and the one that ends a text, so that no word of it is lost. Not thread-safe.</remarks>
internal sealed class ClipRelevance : IDisposable
{
    private readonly ClipTower _tower;
    private readonly LayerBinding _text;
    private readonly LayerBinding _patches;
    private readonly RowTensor _ids;
    private readonly RowTensor _embedding;
    private readonly RowTensor _projected;
    private readonly float[] _mean;

    public ClipRelevance(ModelSessions sessions, ClipTower tower, nint features, int tokens)
    {
        _tower = tower;
        _text = new LayerBinding(sessions.ClipText!);
        _patches = new LayerBinding(sessions.ClipPatches!);
        _ids = RowTensor.Indices(sessions.Memory);
        _embedding = RowTensor.Hidden(tower.Geometry.Projection, sessions.Memory);
        _projected = RowTensor.Hidden(tower.Geometry.Projection, sessions.Memory, sessions.Rows);
        _mean = new float[tower.Geometry.Projection];
        _ids.Reserve(tower.Geometry.Positions);
        _projected.Reserve(tokens);
        _embedding.Resize(1);
        _text.BindOutput("y\0"u8, _embedding.Value);
        BindFeatures(features);
    }

    /// <summary>Takes the features of a reduction in place of the tower's.</summary>
    public void BindFeatures(nint features) => _patches.BindInput("features\0"u8, features);

    /// <summary>Embeds a question. No special token is recognised in it.</summary>
    public void Read(string question)
    {
        ReadOnlySpan<int> ids = _tower.Tokenizer.EncodeUntrusted(question);
        int longest = _tower.Geometry.Positions - 2;
        int segments = Math.Max(1, (ids.Length + longest - 1) / longest);
        Array.Clear(_mean);
        for (int segment = 0; segment < segments; segment++)
        {
            Embed(ids[(segment * longest)..Math.Min(ids.Length, (segment + 1) * longest)]);
            ReadOnlySpan<float> embedding = _embedding.Read<float>();
            float norm = TensorPrimitives.Norm(embedding) * segments;
            if (norm > 0)
            {
                TensorPrimitives.MultiplyAdd(embedding, 1 / norm, _mean, _mean);
            }
        }
    }

    /// <summary>Projects the patches and compares them with the question that was read last.</summary>
    /// <param name="relevance">One number a patch.</param>
    public void Measure(Span<float> relevance)
    {
        int width = _mean.Length;
        _projected.Resize(relevance.Length);
        _patches.BindOutput("y\0"u8, _projected.Value);
        _patches.Run();
        _projected.MarkWritten();
        ReadOnlySpan<float> rows = _projected.Read<float>();
        for (int token = 0; token < relevance.Length; token++)
        {
            ReadOnlySpan<float> row = rows.Slice(token * width, width);
            float norm = TensorPrimitives.Norm(row);
            relevance[token] = norm > 0 ? -TensorPrimitives.Dot(row, _mean) / norm : 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _text.Dispose();
        _patches.Dispose();
        _ids.Dispose();
        _embedding.Dispose();
        _projected.Dispose();
    }

    private void Embed(ReadOnlySpan<int> segment)
    {
        _ids.Resize(segment.Length + 2);
        Span<long> ids = _ids.Span<long>();
        ids[0] = _tower.Tokenizer.Frame.Before[0];
        for (int i = 0; i < segment.Length; i++)
        {
            ids[i + 1] = segment[i];
        }

        ids[^1] = _tower.Tokenizer.Frame.After[0];
        _ids.Upload();
        _text.BindInput("ids\0"u8, _ids.Value);
        _text.Run();
        _embedding.MarkWritten();
    }
}

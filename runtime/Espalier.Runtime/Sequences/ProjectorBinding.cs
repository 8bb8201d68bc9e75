using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>The projector, bound for one sequence, and the gather or the merge behind it if the plan has one.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class ProjectorBinding : IDisposable
{
    private readonly LayerBinding _projector;
    private readonly LayerBinding? _reduce;
    private readonly RowTensor? _whole;
    private readonly RowTensor? _kept;
    private readonly MatrixTensor? _weights;

    public ProjectorBinding(ModelSessions sessions, nint features, Step? step)
    {
        _projector = new LayerBinding(sessions.Projector);
        _projector.Binding.BindInput("features\0"u8, features);
        if (step is null)
        {
            return;
        }

        _whole = RowTensor.Hidden(sessions.Geometry.Text.Hidden, sessions.Memory, sessions.Rows);
        _whole.Reserve(step.TokensBefore);
        if (step.IsMerge)
        {
            _weights = new MatrixTensor(sessions.Memory);
            _weights.Reserve((nuint)step.TokensAfter * (nuint)step.TokensBefore);
            _reduce = new LayerBinding(sessions.MergeProjected!);
        }
        else
        {
            _kept = RowTensor.Indices(sessions.Memory);
            _kept.Reserve(step.TokensAfter);
            _reduce = new LayerBinding(sessions.GatherRows);
        }
    }

    /// <summary>All projected tokens, behind <see cref="Run"/>.</summary>
    public ReadOnlySpan<float> Values => _whole!.Read<float>();

    /// <summary>Takes the features of a reduction in place of the tower's.</summary>
    public void BindFeatures(nint features) => _projector.BindInput("features\0"u8, features);

    /// <summary>Projects all tokens for a step to look at.</summary>
    public void Run(int tokens)
    {
        _whole!.Resize(tokens);
        _projector.BindOutput("y\0"u8, _whole.Value);
        _projector.Run();
        _whole.MarkWritten();
    }

    /// <summary>Says which of them stay.</summary>
    public void Keep(ReadOnlySpan<int> kept)
    {
        _kept!.Resize(kept.Length);
        Span<long> rows = _kept.Span<long>();
        for (int i = 0; i < kept.Length; i++)
        {
            rows[i] = kept[i];
        }
    }

    /// <summary>The weights of a merge into so many tokens at most, all zero: a row a merged token, a column a projected one.</summary>
    public Span<float> Weights(int tokens)
    {
        _weights!.Resize(tokens, _whole!.Rows);
        _weights.Span.Clear();
        return _weights.Span;
    }

    /// <summary>Says that the first rows of the weights make the tokens that are left.</summary>
    /// <returns>Those rows.</returns>
    public ReadOnlySpan<float> Merge(int tokens)
    {
        _weights!.Resize(tokens, _whole!.Rows);
        return _weights.Span;
    }

    /// <summary>Writes the tokens that are left into a tensor <c>[1, tokens, hidden]</c>.</summary>
    public void WriteInto(nint rows)
    {
        if (_reduce is null)
        {
            _projector.BindOutput("y\0"u8, rows);
            _projector.Run();
            return;
        }

        // Bound for every run: the count may be another.
        _reduce.BindInput("x\0"u8, _whole!.Value);
        if (_weights is not null)
        {
            _weights.Upload();
            _reduce.BindInput("weights\0"u8, _weights.Value);
        }
        else
        {
            _kept!.Upload();
            _reduce.BindInput("rows\0"u8, _kept!.Value);
        }

        _reduce.BindOutput("y\0"u8, rows);
        _reduce.Run();
    }

    public void Dispose()
    {
        _projector.Dispose();
        _reduce?.Dispose();
        _whole?.Dispose();
        _kept?.Dispose();
        _weights?.Dispose();
    }
}

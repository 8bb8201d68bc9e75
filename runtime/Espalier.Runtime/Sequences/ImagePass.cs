using System.Diagnostics.CodeAnalysis;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>One image on its way to the decoder: what a generated <c>EncodeImage</c> drives, one call a part or step.</summary>
/// <remarks>
/// <para>Tower, perhaps a step, projector, perhaps a step. Every call checks that it comes in the order that the plan promises, so a class that skips a step fails with an
/// <see cref="InvalidOperationException"/> in place of a wrong answer. Spans are owned by the pass and valid until the next image.</para>
/// <para>Nothing managed is allocated after the first image. Not thread-safe.</para>
/// </remarks>
public sealed partial class ImagePass : IDisposable
{
    private readonly ReductionPlan _plan;
    private readonly Step? _output;
    private readonly Step? _projected;
    private readonly VisualTokenMap _map;
    private readonly TowerBinding _tower;
    private readonly WholeTower? _whole;
    private readonly FeatureReduction? _reduction;
    private readonly ProjectorBinding _projector;
    private LentMemory<float> _scratch;
    private LentMemory<int> _kept;
    private ImagePhase _phase;
    private CancellationToken _cancellation;

    internal ImagePass(ModelSessions sessions, ReductionPlan plan, VisualTokenMap map)
    {
        _plan = plan;
        _output = plan.StepAt(Site.VisionOutput);
        _projected = plan.StepAt(Site.Projected);
        _map = map;
        _sections = sessions.Tower is { } parts ? new SectionedTower(parts, plan, sessions.Memory, sessions.Rows) : null;
        _whole = _sections is null ? new WholeTower(sessions, _output?.TowerScores) : null;
        _tower = _sections ?? (TowerBinding)_whole!;
        _reduction = sessions.ReduceFeatures is { } session ? new FeatureReduction(session, _tower, plan.Geometry.Vision, _output!, sessions.Memory, sessions.Rows) : null;
        bool comparesText = Reads(_output, KernelInputs.TextScores);
        bool weighsRelevance = Reads(_projected, KernelInputs.TextRelevance);
        int textWidth = (comparesText || weighsRelevance) && sessions.Clip is null ? plan.Geometry.Text.Hidden : 0;
        _relevance = new float[weighsRelevance ? _projected!.TokensBefore : 0];
        _clip = weighsRelevance && sessions.Clip is { } clip ? new ClipRelevance(sessions, clip, _tower.Features, _projected!.TokensBefore) : null;
        _meanText = new float[textWidth];
        _textRow = new float[textWidth];
        _projector = new ProjectorBinding(sessions, _tower.Features, _projected);
        _textScores = comparesText ? new TextComparison(sessions, _tower, _output!.TokensBefore) : null;
    }

    /// <summary>Visual tokens in the pass now.</summary>
    public int VisualTokens => _map.Count;

    /// <summary>The softmax attention that the tower's CLS token pays to each patch, mean over heads, summed over the layers of the plan; or the attention that the plan's <see cref="TowerScores"/> name in its place: one score a visual token. Only behind <see cref="RunScoredTower"/>; behind <see cref="LookAhead"/> that of the last layer which ran ahead.</summary>
    public ReadOnlySpan<float> ClsAttention
    {
        get
        {
            if (_phase == ImagePhase.Attended)
            {
                return Attended("the CLS attention", static layer => layer.ClsAttention);
            }

            Require(_phase == ImagePhase.Scored, "the CLS attention is there behind a scored tower");
            return _tower.ClsAttention;
        }
    }

    /// <summary>The keys of the patches in the layer whose output the features are, mean over heads, <c>[visualTokens, headDim]</c>; in full width, of the scored layer, where the plan scores so. Only behind <see cref="RunScoredTower"/>.</summary>
    public ReadOnlySpan<float> Keys
    {
        get
        {
            Require(_phase == ImagePhase.Scored, "the keys are there behind a scored tower");
            return _tower.Keys;
        }
    }

    /// <summary>What the tower emits, row by row; behind <see cref="RunScoredTower"/> the CLS row comes first, even if it is no visual token.</summary>
    public ReadOnlySpan<float> Features
    {
        get
        {
            Require(_phase is ImagePhase.Encoded or ImagePhase.Scored, "the features are there behind the tower");
            return _tower.FeatureValues;
        }
    }

    /// <summary>The projected visual tokens <c>[visualTokens, hidden]</c>. Only in a plan that reduces them, behind <see cref="Project"/>.</summary>
    public ReadOnlySpan<float> Projected
    {
        get
        {
            Require(_phase == ImagePhase.ProjectedWhole, "the projected tokens are there behind the projector, if the plan reduces them");
            return _projector.Values;
        }
    }

    /// <summary>Floats of one image: <c>[3, imageSize, imageSize]</c>.</summary>
    internal int PixelCount => _tower.PixelCount;

    /// <summary>The pixel buffer, for the caller to fill: normalised, channel by channel.</summary>
    internal Span<float> Pixels => _tower.Pixels;

    /// <summary>Runs the vision tower over the pixels.</summary>
    public void RunTower()
    {
        Require(_phase == ImagePhase.Pixels && _whole is not null && _output?.TowerScores is null, "the tower runs first, with scores if the plan reduces by them");
        _cancellation.ThrowIfCancellationRequested();
        _whole.Run();
        _phase = _output is null ? ImagePhase.Reduced : ImagePhase.Encoded;
    }

    /// <summary>As <see cref="RunTower"/>, and reads <see cref="ClsAttention"/> and <see cref="Keys"/>.</summary>
    public void RunScoredTower()
    {
        Require(_phase == ImagePhase.Pixels && _whole is not null && _output?.TowerScores is not null, "the tower runs first, with scores if the plan reduces by them");
        _cancellation.ThrowIfCancellationRequested();
        _whole.Run();
        _phase = ImagePhase.Scored;
    }

    /// <summary>Keeps some visual tokens; the others are gone before the next part runs.</summary>
    /// <param name="kept">Strictly ascending indices into the visual tokens that are there.</param>
    /// <exception cref="ArgumentException">An index is out of range or not ascending.</exception>
    public void Keep(ReadOnlySpan<int> kept)
    {
        Step? step = _phase switch
        {
            ImagePhase.Encoded or ImagePhase.Scored => _output,
            ImagePhase.ProjectedWhole => _projected,
            _ => null,
        };
        Require(step is { Compress: Compress.Drop } && (step.IsDynamic || kept.Length == step.TokensAfter), "tokens leave behind the tower or the projector, where the plan says so, and as many as it says");
        _map.CheckKept(kept);
        _map.KeepInImage(kept);
        if (_phase == ImagePhase.ProjectedWhole)
        {
            _projector.Keep(kept);
            _phase = ImagePhase.Ready;
        }
        else
        {
            _reduction!.Gather(kept);
            BindFeatures(_reduction.Value);
            _phase = ImagePhase.Reduced;
        }
    }

    /// <summary>The weights of a merge, all zero: row i says what merged token i takes of each row of <see cref="Features"/>, or of <see cref="Projected"/> where the plan merges behind the projector.</summary>
    /// <param name="rows">Merged tokens; at most, where the plan says "at most".</param>
    public Span<float> Weights(int rows)
    {
        if (_phase == ImagePhase.ProjectedWhole)
        {
            Require(_projected!.IsMerge && rows == _projected.TokensAfter, "tokens are merged behind the projector, into as many as the plan says");
            return _projector.Weights(rows);
        }

        Require(_phase == ImagePhase.Scored && _output!.Compress != Compress.Drop && rows == _output.TokensAfter, "tokens are merged behind the tower, into as many as the plan says");
        return _reduction!.Weights(rows);
    }

    /// <summary>Mixes the features, or the projected tokens, by <see cref="Weights"/>; the merged tokens take the place of all others.</summary>
    /// <param name="tokens">The visual token that each merged token stands for; -1 for the CLS token, -2 for one that stands for many. As many as there are rows of weights, or fewer where the plan says "at most".</param>
    /// <exception cref="ArgumentException">There is no such visual token.</exception>
    public void Merge(ReadOnlySpan<int> tokens)
    {
        if (_phase == ImagePhase.ProjectedWhole)
        {
            Require(_projected!.IsMerge && (_projected.IsDynamic || tokens.Length == _projected.TokensAfter), "tokens are merged behind the projector, into as many as the plan says");
            _map.MergeInImage(tokens, _projector.Merge(tokens.Length));
            _phase = ImagePhase.Ready;
            return;
        }

        Require(_phase == ImagePhase.Scored && _output!.Compress != Compress.Drop && (_output.IsDynamic || tokens.Length == _output.TokensAfter), "tokens are merged behind the tower, into as many as the plan says");
        _map.MergeInImage(tokens, _reduction!.WeightsOf(tokens.Length));
        _reduction.Merge(tokens.Length);
        BindFeatures(_reduction.Value);
        _phase = ImagePhase.Reduced;
    }

    /// <summary>Runs the projector. If nothing is reduced behind it, it runs a little later and writes straight into the rows of the decoder.</summary>
    public void Project()
    {
        Require(_phase == ImagePhase.Reduced, "the projector runs once, behind the tower and its step");
        if (_projected is null)
        {
            _phase = ImagePhase.Ready;
            return;
        }

        _projector.Run(_map.Count);
        MeasureRelevance();
        _phase = ImagePhase.ProjectedWhole;
    }

    /// <summary>Scratch for a kernel, owned by the pass and valid until the next call.</summary>
    /// <param name="count">Elements.</param>
    public Span<float> Scratch(int count) => _scratch.Lend(count);

    /// <summary>Scratch for kept indices, owned by the pass and valid until the next call.</summary>
    /// <param name="count">Elements.</param>
    public Span<int> Kept(int count) => _kept.Lend(count);

    /// <inheritdoc/>
    public void Dispose()
    {
        _projector.Dispose();
        _textScores?.Dispose();
        _clip?.Dispose();
        _reduction?.Dispose();
        _tower.Dispose();
    }

    /// <summary>Opens an image whose pixels are in place.</summary>
    internal void Begin(CancellationToken cancellation)
    {
        _cancellation = cancellation;
        _map.Reset();
        _textScores?.Clear();
        _phase = ImagePhase.Pixels;
    }

    private static bool Reads(Step? step, KernelInputs input) => ((step?.Kernel?.Inputs ?? KernelInputs.OfSite) & input) != 0;

    /// <summary>Checks that all parts have run.</summary>
    internal void End() => Require(_phase == ImagePhase.Ready, "all parts and steps of the image run before the decoder");

    /// <summary>Writes the visual rows into a tensor <c>[1, rows, hidden]</c>.</summary>
    internal void WriteInto(nint rows)
    {
        End();
        _projector.WriteInto(rows);
        _phase = ImagePhase.Done;
    }

    private void BindFeatures(nint features)
    {
        _projector.BindFeatures(features);
        _clip?.BindFeatures(features);
    }

    private void Require([DoesNotReturnIf(false)] bool condition, string rule)
    {
        if (!condition)
        {
            ThrowOrder(rule);
        }
    }

    [DoesNotReturn]
    private void ThrowOrder(string rule) =>
        throw new InvalidOperationException($"EncodeImage does not follow its plan: {rule} (phase {_phase}, {_map.Count} of {_plan.Geometry.VisualTokens} visual tokens).");
}

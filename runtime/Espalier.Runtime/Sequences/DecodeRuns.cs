using System.Globalization;
using System.Text;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>How the runs of one sequence's decode steps are asked for: on a device that runs in order, without waiting for each, and replayed where it captures them.</summary>
/// <remarks>
/// <para>The first step runs each graph several times over: warm-ups, the capture, the replay. That changes nothing, since a run writes the same cache row from the same inputs. What was captured holds the addresses of this sequence.</para>
/// <para>Kernels leave memory of the host behind until the host waits for a run of their session. Replays do not; others wait now and then.</para>
/// <para>Not thread-safe; all decode steps of a device run on one thread.</para>
/// </remarks>
internal sealed class DecodeRuns : IDisposable
{
    /// <summary>Steps from one that waits to the next, where steps are not replayed.</summary>
    public const int StepsBetweenWaits = 32;

    // Of the process: no id is used twice, because a device may keep what it captured.
    private static int _lastId;

    private readonly ModelSessions _sessions;
    private readonly OrtRunOptions? _ahead;
    private readonly int _id;
    private int _steps;

    /// <summary>Makes the options.</summary>
    public DecodeRuns(ModelSessions sessions)
    {
        _sessions = sessions;
        if (!sessions.RunsAhead)
        {
            return;
        }

        _ahead = OrtRunOptions.Create();
        _ahead.SetEntry("disable_synchronize_execution_providers\0"u8, "1\0"u8);
        if (sessions.Captured.Count > 0)
        {
            _id = Interlocked.Increment(ref _lastId);
            _ahead.SetEntry("gpu_graph_id\0"u8, Encoding.UTF8.GetBytes(_id.ToString(CultureInfo.InvariantCulture) + "\0"));
        }
    }

    /// <summary>The options of the current step's runs; null for ONNX Runtime's own, which wait.</summary>
    public OrtRunOptions? Options { get; private set; }

    /// <summary>Begins a step.</summary>
    public void Begin() => Options = _sessions.ReplaysAll || _steps++ % StepsBetweenWaits != 0 ? _ahead : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_id != 0)
        {
            _sessions.Thread!.Run(Forget);
        }

        _ahead?.Dispose();
    }

    private void Forget()
    {
        foreach (OrtSession session in _sessions.Captured)
        {
            session.ReleaseCapturedRuns(_id);
        }
    }
}

using Espalier.Graphs;
using Espalier.OnnxRuntime;

namespace Espalier;

/// <summary>Finds inputs that a session reads on the other side than they are written. ONNX Runtime copies such a tensor when it is bound, and never again: later runs would read what was there before.</summary>
internal static class DeviceInputs
{
    // Counts and sizes, by which shapes are computed: see GraphNames.
    private static readonly HashSet<string> OnHost = new(StringComparer.Ordinal) { GraphNames.Total, GraphNames.KeyRows, GraphNames.QueryRows, GraphNames.Sizes, GraphNames.BlockSizes, GraphNames.VisualEnd, GraphNames.Kept };

    /// <summary>The names of such inputs, in the order of the graph.</summary>
    /// <param name="session">The session.</param>
    /// <param name="graph">What it runs.</param>
    /// <param name="provider">Its device, whose memory is not the host's.</param>
    public static IReadOnlyList<string> Misplaced(OrtSession session, GraphModel graph, ExecutionProvider provider)
    {
        // What no node reads lies anywhere.
        var read = graph.Parts.Nodes.SelectMany(static node => node.Inputs).ToHashSet(StringComparer.Ordinal);
        var misplaced = new List<string>();
        nint[] memory = session.InputMemory();
        for (int i = 0; i < memory.Length; i++)
        {
            string name = session.InputNames[i];
            bool isWrittenOnHost = OnHost.Contains(name) || (provider.RewritesGraphs && name == GraphNames.VisualStart);
            if (read.Contains(name) && OrtMemoryInfo.IsHost(memory[i]) != isWrittenOnHost)
            {
                misplaced.Add(name);
            }
        }

        return misplaced;
    }
}

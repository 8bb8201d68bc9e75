using Espalier.CommandLine;
using Espalier.Evaluation;

namespace Espalier.Tool;

/// <summary>Loads the models of a command.</summary>
internal static class Loading
{
    /// <summary>Opens a folder and loads candidates; a terminal shows which.</summary>
    public static LoadedCandidates Load(Terminal terminal, string folder, IReadOnlyList<Candidate> candidates, Precision precision, int textPositions, CancellationToken cancellationToken) =>
        terminal.Status("loading", status =>
        {
            string name = "";
            var progress = new Told<LoadProgress>(told => status($"loading {name}: {(told.Stage == LoadStage.QuantiseWeights ? "weights" : "sessions")} {told.Done} of {told.Total}"));
            var options = new ModelOptions { Device = Device.Auto, Precision = precision, Progress = progress, CancellationToken = cancellationToken };
            return LoadedCandidates.Load(folder, candidates, options, textPositions, next => status($"loading {name = next}"));
        });

    /// <summary>A reason for an answer's end, as JSON names it.</summary>
    public static string NameOf(FinishReason reason) => reason switch
    {
        FinishReason.Stop or FinishReason.StopSequence => "stop",
        FinishReason.MaxNewTokens => "length",
        FinishReason.CapacityExhausted => "capacity",
        _ => reason.ToString().ToLowerInvariant(),
    };
}

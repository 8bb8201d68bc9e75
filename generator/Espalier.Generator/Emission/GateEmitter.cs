using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes what the gates of a plan do behind the layers of a run.</summary>
internal static class GateEmitter
{
    private const string Exited = "exited";

    /// <summary>Says what the gates do and, where there are several, declares the local that remembers whether one of them let the visual tokens leave.</summary>
    public static void Declare(SourceWriter writer, ExitGates gates)
    {
        if (IsOnly(gates))
        {
            writer.Line("// Behind layer " + Literal.Of(gates.FirstLayer) + " a gate reads the text; if it says so, all visual tokens leave (" + gates.Declaration + ").");
            return;
        }

        writer.Line("// Behind each of layers " + PlanText.Range(gates.FirstLayer, gates.LastLayer) + " a gate reads the text; the first that says so lets all visual tokens leave (" + gates.Declaration + ").");
        writer.Line("bool " + Exited + " = false;");
    }

    /// <summary>Writes a run of layers with the gate behind each.</summary>
    public static void Loop(SourceWriter writer, LayerRun run, ExitGates gates)
    {
        string method = "pass.Run" + run.Kind;
        if (run.FirstLayer == run.LastLayer)
        {
            writer.Line(method + "(layer: " + Literal.Of(run.FirstLayer) + ");");
            Ask(writer, gates, run.FirstLayer);
            return;
        }

        using (writer.Open("for (int layer = " + Literal.Of(run.FirstLayer) + "; layer <= " + Literal.Of(run.LastLayer) + "; layer++)"))
        {
            writer.Line(method + "(layer);");
            Ask(writer, gates, layer: null);
        }
    }

    /// <summary>Writes the question to one gate, with its sentence: behind a step, not in a loop.</summary>
    public static void AskAlone(SourceWriter writer, ExitGates gates, int layer)
    {
        writer.Line("// Behind layer " + Literal.Of(layer) + ": its gate" + (IsOnly(gates) ? "." : layer == gates.FirstLayer ? ", the first of them." : ", unless one before it has said so."));
        Ask(writer, gates, layer);
    }

    /// <summary>Asks the gate behind a layer, unless an earlier one has let the visual tokens leave.</summary>
    /// <param name="writer">Where it is written.</param>
    /// <param name="gates">All gates.</param>
    /// <param name="layer">The layer; null in a loop over several.</param>
    private static void Ask(SourceWriter writer, ExitGates gates, int? layer)
    {
        string gate = "pass.Gate(" + (layer is { } number ? "layer: " + Literal.Of(number) : "layer") + ")";
        using (writer.Open("if (" + (layer == gates.FirstLayer ? "" : "!" + Exited + " && ") + gate + ")"))
        {
            writer.Line("pass.ExitVisual();");
            if (!IsOnly(gates))
            {
                writer.Line(Exited + " = true;");
            }
        }
    }

    private static bool IsOnly(ExitGates gates) => gates.FirstLayer == gates.LastLayer;
}

using Espalier.Planning;

namespace Espalier.Emission;

/// <summary>Writes what the gates of a plan do behind the layers of a run.</summary>
internal static class GateEmitter
{
    private const string Exited = "exited";

    /// <summary>Declares the local that remembers whether a gate let the visual tokens leave.</summary>
    public static void Declare(SourceWriter writer, ExitGates gates)
    {
        writer.Line("// Behind each of layers " + PlanText.Range(gates.FirstLayer, gates.LastLayer) + " a gate reads the text; the first that says so lets all visual tokens leave (" + gates.Declaration + ").");
        writer.Line("bool " + Exited + " = false;");
    }

    /// <summary>Writes a run of layers with the gate behind each.</summary>
    public static void Loop(SourceWriter writer, LayerRun run)
    {
        string method = "pass.Run" + run.Kind;
        if (run.FirstLayer == run.LastLayer)
        {
            writer.Line(method + "(layer: " + Literal.Of(run.FirstLayer) + ");");
            Ask(writer, "layer: " + Literal.Of(run.FirstLayer));
            return;
        }

        using (writer.Open("for (int layer = " + Literal.Of(run.FirstLayer) + "; layer <= " + Literal.Of(run.LastLayer) + "; layer++)"))
        {
            writer.Line(method + "(layer);");
            Ask(writer, "layer");
        }
    }

    /// <summary>Asks the gate behind one layer, unless an earlier one has let the visual tokens leave.</summary>
    public static void Ask(SourceWriter writer, string layer)
    {
        using (writer.Open("if (!" + Exited + " && pass.Gate(" + layer + "))"))
        {
            writer.Line("pass.ExitVisual();");
            writer.Line(Exited + " = true;");
        }
    }
}

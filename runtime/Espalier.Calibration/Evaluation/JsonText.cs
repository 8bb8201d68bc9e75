using System.Text.Encodings.Web;
using System.Text.Json;

namespace Espalier.Evaluation;

/// <summary>How JSON is written: letters of all scripts as they are, and line feeds on every system.</summary>
internal static class JsonText
{
    /// <summary>One value a line.</summary>
    public static JsonSerializerOptions Line { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Indented, to be read.</summary>
    public static JsonSerializerOptions Indented { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true, NewLine = "\n" };
}

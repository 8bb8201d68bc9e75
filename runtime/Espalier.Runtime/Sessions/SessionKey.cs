using Espalier.Graphs;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier;

/// <summary>Names one session of a model.</summary>
/// <param name="Provider">Where it runs.</param>
/// <param name="Part">What it computes.</param>
/// <param name="Format">The format of its linear layers; null for a part that has none.</param>
/// <param name="Layer">Decoder layer, or 0.</param>
/// <param name="Kind">How the layer treats its rows, for <see cref="ModelPart.DecoderLayer"/>.</param>
/// <param name="Scores">The tower layers whose CLS attention comes out, for <see cref="ModelPart.ScoredVision"/>.</param>
/// <param name="Width">The inner width, for <see cref="ModelPart.Gate"/>, else 0.</param>
/// <param name="Learned">The file of learned weights that replaces some of the part's; null if the checkpoint's alone are read.</param>
/// <param name="Section">The tower layers, for the parts of a tower.</param>
/// <param name="Partial">What visual rows still do in a layer of a partial kind; else null.</param>
/// <param name="Clip">The text tower, for the parts of CLIP.</param>
/// <param name="RunsOneRow">True for a layer that runs one row at a time, on a device where others need another graph.</param>
/// <param name="Sequences">The sequences whose caches are tensors apart, for <see cref="ModelPart.BatchLayer"/>, else 0.</param>
/// <param name="Replayed">True for a part of a decode step that the device is to capture and replay.</param>
/// <param name="Rows">The type of rows and of the KV cache; 16 bits for half precision.</param>
internal readonly record struct SessionKey(ExecutionProvider Provider, ModelPart Part, LinearFormat? Format = null, int Layer = 0, LayerKind Kind = LayerKind.Dense, TowerScores? Scores = null, int Width = 0, string? Learned = null, TowerSection? Section = null, PartialWork? Partial = null, bool RunsOneRow = false, ClipGeometry? Clip = null, int Sequences = 0, OrtElementType Rows = OrtElementType.Float, bool Replayed = false)
{
    /// <summary>What a trace of the session is called: the part and, of a decoder layer, its number and kind.</summary>
    public string TraceName => Part is ModelPart.DecoderLayer ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Part}-{Layer}-{Kind}") : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Part}-{Layer}");

    /// <summary>The format, for a part that has one.</summary>
    public LinearFormat RequiredFormat => Format ?? throw new ArgumentException($"{Part} has linear layers and needs their format.");
}

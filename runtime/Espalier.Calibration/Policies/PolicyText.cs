using System.Globalization;

namespace Espalier.Calibration;

/// <summary>Writes policies as C#.</summary>
internal static class PolicyText
{
    /// <summary>What declarations call the model of a folder: the folder's name.</summary>
    public static string ModelName(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    /// <summary>An attribute over layers, for example <c>[ShortV(2, 5, 6)]</c>; empty for no layer.</summary>
    public static string Layers(string name, IEnumerable<int> layers)
    {
        string list = string.Join(", ", layers.Order().Select(Number));
        return list.Length == 0 ? "" : $"[{name}({list})]";
    }

    /// <summary>The query heads that visual tokens do without in a layer, in YOPO's words.</summary>
    public static string Heads(int layer, IEnumerable<int> heads) => $"[YopoHeads({string.Join(", ", heads.Select(Number))}, Layer = {Number(layer)})]";

    /// <summary>A prune by the last row's attention.</summary>
    public static string Prune(int afterLayer, int keep) => $"[PruneVisual(AfterLayer = {Number(afterLayer)}, Keep = {Number(keep)}, Score = TokenScore.LastQueryAttention)]";

    /// <summary>An exit in VTW's words.</summary>
    public static string Vtw(int k) => $"[Vtw(K = {Number(k)})]";

    /// <summary>A declaration that is ready to commit.</summary>
    /// <param name="model">The name of the model.</param>
    /// <param name="className">The class.</param>
    /// <param name="policy">The attributes.</param>
    /// <param name="why">A sentence a line for those who read it later.</param>
    public static string Declaration(string model, string className, string policy, params string[] why)
    {
        string comments = string.Concat(why.Select(static line => "// " + line + "\n"));
        string attributes = policy.Length == 0 ? "" : policy.Replace("] [", "]\n[", StringComparison.Ordinal) + "\n";
        return $"using Espalier;\n\n{comments}[VisionLanguageModel({Microsoft.CodeAnalysis.CSharp.SymbolDisplay.FormatLiteral(model, quote: true)})]\n{attributes}public sealed partial class {className};\n";
    }

    /// <summary>An integer, the same on every culture.</summary>
    public static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>A measured value with three significant digits, the same on every culture.</summary>
    public static string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
}

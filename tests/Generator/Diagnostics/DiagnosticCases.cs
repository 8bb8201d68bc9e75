namespace Espalier.Tests;

/// <summary>A declaration and what the compiler must say about it. The model 'shapes' has 10 layers and 144 visual tokens.</summary>
/// <param name="Id">The diagnostic.</param>
/// <param name="Source">The declaration; where the diagnostic must stand is marked <c>[|so|]</c>, and nothing is marked where it must stay away.</param>
/// <param name="Message">The whole message; null where it must stay away.</param>
public sealed record DiagnosticCase(string Id, string Source, string? Message)
{
    public override string ToString() => Id + (Message is null ? " stays away: " : " fires: ") + Source.ReplaceLineEndings(" ");
}

/// <summary>For every diagnostic, declarations on which it fires and near misses on which it does not.</summary>
internal static partial class DiagnosticCases
{
    private const string Model = """[VisionLanguageModel("shapes")]""" + "\n";
    private const string Scorer = "\ninternal struct S : ITokenScorer { public static void Score(in TokenScoreContext context, System.Span<float> scores) => scores.Clear(); }";
    private const string Class = "\npublic sealed partial class C;";

    public static IEnumerable<DiagnosticCase> Firing => [.. Shape, .. Layers, .. Counts];

    public static IEnumerable<DiagnosticCase> Quiet =>
    [
        Quietly("ESP0001", Model + "public sealed partial class C;"),
        Quietly("ESP0001", "public sealed class C;"),
        Quietly("ESP0002", Model + "partial class C { private static int _count; internal int Next() => ++_count; }"),
        Quietly("ESP0003", Model + "public partial class C : System.IEquatable<C> { public bool Equals(C? other) => ReferenceEquals(this, other); }"),
        Quietly("ESP0004", "public partial class Outer { " + Model + "public sealed partial class C; }"),
        Quietly("ESP0005", Model + "public sealed partial class C : VisionLanguageModel;"),
        Quietly("ESP0005", Model + "public sealed partial class C : System.ICloneable { public object Clone() => this; }"),
        Quietly("ESP0006", Model + "[FastV]" + Class),
        Quietly("ESP0006", "[System.Obsolete]" + Class),
        Quietly("ESP0007", Model + "[PruneVisual<S>(AfterLayer = -1, Keep = 5)]" + Class + Scorer),
        Quietly("ESP0007", Model + "[PruneVisual<C.S>(AfterLayer = 1, Keep = 5)]\npublic partial class C { " + Scorer + " }"),
        Quietly("ESP0008", """[VisionLanguageModel("shapes", Precision = Precision.Int4)]""" + Class),
        Quietly("ESP0008", """[VisionLanguageModel("shapes", Precision = (Precision)1)]""" + Class),
        Quietly("ESP0009", Model + "public sealed partial class C { internal static C Load(Checkpoint checkpoint) => Load(checkpoint, null); internal void Prefill(int rows) => DecodeStep<int>(rows, this); private void DecodeStep<T>(T rows, object pass) => _ = (rows, pass); }"),
        Quietly("ESP0009", Model + "public sealed partial class C { internal C(Checkpoint checkpoint) : this(checkpoint, new ModelOptions()) { } static C() { } }"),
        Quietly("ESP0009", Model + "public sealed partial class C : C.I { void I.Load() { } private interface I { void Load(); } internal ref struct Checkpoint; internal static int plan => 1; }"),
        Quietly("ESP0009", "public sealed partial class C(int x) { internal int Plan => x; }"),
        Quietly("ESP0101", Model + "[RandomPrune(AfterLayer = -1, Keep = 5)]" + Class),
        Quietly("ESP0101", Model + "[FreezeVisual(0, 9)]" + Class),
        Quietly("ESP0101", Model + "[ExitVisual(AfterLayer = 8)]" + Class),
        Quietly("ESP0101", Model + "[Vtw(K = 9)]" + Class),
        Quietly("ESP0102", Model + "[FastV(K = 1)]" + Class),
        Quietly("ESP0102", Model + "[PruneVisual(AfterLayer = 0, Keep = 1)]" + Class),
        Quietly("ESP0103", Model + "[FastV(K = 9)]" + Class),
        Quietly("ESP0103", Model + "[ExitVisual(AfterLayer = 8)]" + Class),
        Quietly("ESP0104", Model + "[ExitVisual(AfterLayer = 6)]\n[PruneVisual(AfterLayer = 5, Keep = 10)]" + Class),
        Quietly("ESP0105", Model + "[Vtw(K = 8)]\n[ShortV(7)]" + Class),
        Quietly("ESP0106", Model + "[ExitVisual(AfterLayer = 6)]" + Class),
        Quietly("ESP0107", Model + "[FreezeVisual(3)]\n[FreezeVisual(FirstLayer = 4, LastLayer = 5)]\n[ShortV(6)]" + Class),
        Quietly("ESP0108", Model + "[FastV(K = 2)]\n[PruneVisual(AfterLayer = 2, Keep = 10)]" + Class),
        Quietly("ESP0109", Model + "[FreezeVisual(3, 5)]\n[ShortV(9, 8, 2)]" + Class),
        Quietly("ESP0110", Model + "[FreezeVisual(FirstLayer = 0, LastLayer = 0)]" + Class),
        Quietly("ESP0111", Model + "[FreezeVisual(FirstLayer = 4, LastLayer = 4)]" + Class),
        Quietly("ESP0112", Model + "[PyramidDrop(Lambda = 0.9, S = 10)]" + Class),
        Quietly("ESP0112", Model + "[PyramidDrop(S = 2)]" + Class),
        Quietly("ESP0121", Model + "[VisionZip(Dominant = 27, Contextual = 5)]\n[DivPrune(Keep = 20)]" + Class),
        Quietly("ESP0122", "[VisionLanguageModel(\"wide\")]\n[DivPrune]" + Class),
        Quietly("ESP0123", Model + "[VtcCls(Keep = 36, Layer = 4)]" + Class),
        Quietly("ESP0201", Model + "[PyramidDrop(Lambda = 0.2, S = 4)]" + Class),
        Quietly("ESP0201", Model + "[PruneVisual(AfterLayer = 1, Keep = 1)]" + Class),
        Quietly("ESP0202", Model + "[PruneVisual(AfterLayer = 1, Keep = 143)]" + Class),
        Quietly("ESP0203", Model + "[PruneVisual(AfterLayer = 4, Keep = 9)]\n[PruneVisual(AfterLayer = 1, Keep = 10)]" + Class),
        Quietly("ESP0204", Model + "[PruneVisual(AfterLayer = 1, KeepRatio = 0.99)]" + Class),
        Quietly("ESP0205", Model + "[FastV(R = 0.01)]" + Class),
        Quietly("ESP0206", Model + "[PruneVisual(AfterLayer = 1, KeepRatio = 0.5)]" + Class),
        Quietly("ESP0207", Model + "[FastV(Rows = FastVRows.Mean)]\n[PruneVisual(AfterLayer = 3, Keep = 5, Score = TokenScore.TextAttention)]" + Class),
        Quietly("ESP0207", Model + "[PruneVisual(AfterLayer = 1, Keep = 5, Score = TokenScore.LastQueryAttention)]" + Class),
        Quietly("ESP0221", Model + "[GPrune(Iterations = 1, Threshold = 0.01, Temperature = 100)]" + Class),
        Quietly("ESP0222", Model + "[GPrune(KeepRatio = 0.2)]" + Class),
    ];

    private static DiagnosticCase[] Shape =>
    [
        new("ESP0001", Model + "public sealed class [|C|];", "'C' must be partial: the generator adds its plan and its forward loop to it"),
        new("ESP0002", Model + "public static partial class [|C|];", "'C' is static; a vision-language model must be an ordinary class"),
        new("ESP0002", Model + "public abstract partial class [|C|];", "'C' is abstract; a vision-language model must be an ordinary class"),
        new("ESP0002", Model + "public partial record [|C|];", "'C' is a record; a vision-language model must be an ordinary class"),
        new("ESP0002", Model + "file partial class [|C|];", "'C' is visible in one file only; a vision-language model must be an ordinary class"),
        new("ESP0002", Model + "public partial class [|Load|];", "'Load' has the name of a member that is generated into it; a vision-language model must be an ordinary class"),
        new("ESP0003", Model + "public partial class [|C|]<T>;", "'C' cannot be a vision-language model: it has type parameters"),
        new("ESP0003", "public partial class Outer<T> { " + Model + "public partial class [|C|]; }", "'C' cannot be a vision-language model: it lies in the generic type 'Outer'"),
        new("ESP0004", "public class [|Outer|] { " + Model + "public partial class C; }", "'C' lies in 'Outer', which must be partial so that the generator can add to 'C'"),
        new("ESP0005", Model + "public partial class C : [|System.IO.MemoryStream|];", "'C' derives from 'System.IO.MemoryStream', but the generator derives it from Espalier.VisionLanguageModel"),
        new("ESP0006", "[[|FastV(K = 2)|]]" + Class, "'FastV(K = 2)' on 'C' has no effect without [VisionLanguageModel]"),
        new("ESP0006", "[[|PruneVisual<int>(Keep = 2)|]]" + Class, "'PruneVisual<int>(Keep = 2)' on 'C' has no effect without [VisionLanguageModel]"),
        new("ESP0007", Model + "[PruneVisual<[|int|]>(AfterLayer = 1, Keep = 5)]" + Class, "'int' cannot rank visual tokens: it does not implement Espalier.ITokenScorer"),
        new("ESP0007", Model + "[PruneVisual<[|S|]>(AfterLayer = 1, Keep = 5)]" + Class + Scorer.Replace("internal", "file", StringComparison.Ordinal), "'S' cannot rank visual tokens: it is visible in one file only"),
        new("ESP0008", """[VisionLanguageModel("shapes", [|Precision = (Precision)7|])]""" + Class, "'C' declares the precision 7, which is not a member of Precision"),
        new("ESP0009", Model + "public sealed partial class C[|(int x)|] { internal int X => x; }", "'C' has a primary constructor, but the generator adds a constructor that cannot call it"),
        new("ESP0009", Model + "public sealed partial class C[|()|];", "'C' has a primary constructor, but the generator adds a constructor that cannot call it"),
        new("ESP0009", Model + "public sealed partial class C { internal int [|Plan|] => 1; }", "'C' has a member 'Plan', but the generator adds a property of that name"),
        new("ESP0009", Model + "public sealed partial class C { internal static int [|Plan|](int x) => x; }", "'C' has a member 'Plan', but the generator adds a property of that name"),
        new("ESP0009", Model + "public sealed partial class C;\npartial class C { internal sealed class [|Plan|]; }", "'C' has a member 'Plan', but the generator adds a property of that name"),
        new("ESP0009", Model + "public sealed partial class C { internal static int [|get_Plan|]() => 1; }", "'C' has a method 'get_Plan', but the generator adds the property 'Plan', which needs that name"),
        new("ESP0009", Model + "public sealed partial class C { internal void [|set_Plan|](Espalier.Planning.ReductionPlan plan) => _ = plan; }", "'C' has a method 'set_Plan', but the generator adds the property 'Plan', which needs that name"),
        new("ESP0009", Model + "public sealed partial class C { internal bool [|EncodeImage|] { get; set; } }", "'C' has a member 'EncodeImage', but the generator adds a method of that name"),
        new("ESP0009", Model + "[DivPrune]\npublic sealed partial class C : VisionLanguageModel { protected override void [|EncodeImage|](ImagePass pass) { } }", "'C' has a method 'EncodeImage' of the same parameters, but the generator adds that method"),
        new("ESP0009", Model + "public sealed partial class C { internal const int [|Load|] = 1; }", "'C' has a member 'Load', but the generator adds a method of that name"),
        new("ESP0009", Model + "public sealed partial class C { internal event System.Action? [|Prefill|] { add { } remove { } } }", "'C' has a member 'Prefill', but the generator adds a method of that name"),
        new("ESP0009", Model + "public sealed partial class C { internal enum [|DecodeStep|] { One } }", "'C' has a member 'DecodeStep', but the generator adds a method of that name"),
        new("ESP0009", Model + "public sealed partial class C { internal static object? [|Load|](Checkpoint c, ModelOptions? o) => (c, o); }", "'C' has a method 'Load' of the same parameters, but the generator adds that method"),
        new("ESP0009", Model + "public sealed partial class C { internal C [|Load|](Checkpoint c, ModelOptions o) => (c, o) is { } ? this : this; }", "'C' has a method 'Load' of the same parameters, but the generator adds that method"),
        new("ESP0009", Model + "public sealed partial class C : VisionLanguageModel { protected override void [|Prefill|](ForwardPass pass) { } }", "'C' has a method 'Prefill' of the same parameters, but the generator adds that method"),
        new("ESP0009", Model + "public sealed partial class C { internal [|C|](Checkpoint checkpoint, ModelOptions? options) => _ = (checkpoint, options); }", "'C' has a constructor of the parameters Checkpoint and ModelOptions, but the generator adds that constructor"),
    ];

    private static DiagnosticCase[] Layers =>
    [
        new("ESP0101", Model + "[FreezeVisual(3, [|10|])]" + Class, "'FreezeVisual(3, 10)' names layer 10, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[FreezeVisual([|-1|])]" + Class, "'FreezeVisual(-1)' names layer -1, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[FreezeVisual(new[] { 3, [|12|] })]" + Class, "'FreezeVisual(3, 12)' names layer 12, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[ShortV(31, 5)]".Replace("31", "[|31|]", StringComparison.Ordinal) + Class, "'ShortV(31, 5)' names layer 31, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[FreezeVisual(FirstLayer = 5, [|LastLayer = 2000000000|])]" + Class, "'FreezeVisual(FirstLayer = 5, LastLayer = 2000000000)' names layer 2000000000, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[ExitVisual([|AfterLayer = 10|])]" + Class, "'ExitVisual(AfterLayer = 10)' names the boundary after layer 10, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[Vtw([|K = 0|])]" + Class, "'Vtw(K = 0)' names the boundary before layer 0, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[[|Vtw|]]" + Class, "'Vtw' names the boundary before layer 15, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[FastV([|K = 11|], R = 0.5)]" + Class, "'FastV(K = 11, R = 0.5)' names the boundary before layer 11, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[RandomPrune([|AfterLayer = -2|], Keep = 5)]" + Class, "'RandomPrune(AfterLayer = -2, Keep = 5)' names the boundary after layer -2, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[PruneVisual<S>([|AfterLayer = 12|], Keep = 5)]" + Class + Scorer, "'PruneVisual<S>(AfterLayer = 12, Keep = 5)' names the boundary after layer 12, but the model has decoder layers 0 to 9"),
        new("ESP0102", Model + "[FastV([|K = 0|])]" + Class, "'FastV(K = 0)' prunes before layer 0, but its score is the attention of the layer before, and no layer runs before layer 0"),
        new("ESP0102", Model + "[PruneVisual([|AfterLayer = -1|], Keep = 5)]" + Class, "'PruneVisual(AfterLayer = -1, Keep = 5)' prunes after layer -1, but its score is the attention of the layer before, and no layer runs before layer 0"),
        new("ESP0102", Model + "[FastV([|K = int.MinValue|])]" + Class, "'FastV(K = -2147483648)' prunes before layer -2147483648, but its score is the attention of the layer before, and no layer runs before layer 0"),
        new("ESP0103", Model + "[ExitVisual([|AfterLayer = 9|])]" + Class, "'ExitVisual(AfterLayer = 9)' reduces visual tokens after layer 9, but layer 9 is the last: nothing runs behind it, so nothing would change"),
        new("ESP0103", Model + "[Vtw([|K = 10|])]" + Class, "'Vtw(K = 10)' reduces visual tokens before layer 10, but layer 9 is the last: nothing runs behind it, so nothing would change"),
        new("ESP0103", Model + "[PruneVisual([|AfterLayer = 9|], Keep = 5)]" + Class, "'PruneVisual(AfterLayer = 9, Keep = 5)' reduces visual tokens after layer 9, but layer 9 is the last: nothing runs behind it, so nothing would change"),
        new("ESP0104", Model + "[ExitVisual(AfterLayer = 4)]\n[FastV([|K = 7|])]" + Class, "'FastV(K = 7)' prunes visual tokens before layer 7, but all of them leave after layer 4 by 'ExitVisual(AfterLayer = 4)'"),
        new("ESP0104", Model + "[PruneVisual(Keep = 7, [|AfterLayer = 4|])]\n[Vtw(K = 5)]" + Class, "'PruneVisual(Keep = 7, AfterLayer = 4)' prunes visual tokens after layer 4, but all of them leave before layer 5 by 'Vtw(K = 5)'"),
        new("ESP0105", Model + "[ExitVisual(AfterLayer = 4)]\n[ShortV(3, [|5|])]" + Class, "'ShortV(3, 5)' freezes visual tokens in layer 5, but all of them leave after layer 4 by 'ExitVisual(AfterLayer = 4)'"),
        new("ESP0105", Model + "[ExitVisual(AfterLayer = 4)]\n[FreezeVisual(FirstLayer = 3, [|LastLayer = 7|])]" + Class, "'FreezeVisual(FirstLayer = 3, LastLayer = 7)' freezes visual tokens in layers 5-7, but all of them leave after layer 4 by 'ExitVisual(AfterLayer = 4)'"),
        new("ESP0106", Model + "[ExitVisual(AfterLayer = 4)]\n[Vtw([|K = 7|])]" + Class, "'Vtw(K = 7)' lets all visual tokens leave before layer 7, but they already left after layer 4 by 'ExitVisual(AfterLayer = 4)'"),
        new("ESP0107", Model + "[FreezeVisual(3, 4)]\n[ShortV(7, [|4|])]" + Class, "'ShortV(7, 4)' freezes visual tokens in layer 4, which 'FreezeVisual(3, 4)' freezes already"),
        new("ESP0107", Model + "[FreezeVisual(3, 4, 8)]\n[FreezeVisual([|FirstLayer = 3|], LastLayer = 6)]" + Class, "'FreezeVisual(FirstLayer = 3, LastLayer = 6)' freezes visual tokens in layers 3-4, which 'FreezeVisual(3, 4, 8)' freezes already"),
        new("ESP0108", Model + "[FastV(K = 3)]\n[PruneVisual([|AfterLayer = 2|], Keep = 10)]" + Class, "'PruneVisual(AfterLayer = 2, Keep = 10)' prunes visual tokens after layer 2, where 'FastV(K = 3)' prunes them already"),
        new("ESP0109", Model + "[FreezeVisual(7, [|5|], 6)]" + Class, "'FreezeVisual(7, 5, 6)' names layer 5 behind layer 7; write the layers in ascending order, each once"),
        new("ESP0109", Model + "[FreezeVisual(5, [|5|])]" + Class, "'FreezeVisual(5, 5)' names layer 5 behind layer 5; write the layers in ascending order, each once"),
        new("ESP0109", Model + "[ShortV(7, 2, [|7|])]" + Class, "'ShortV(7, 2, 7)' names layer 7 behind layer 7; write the layers in ascending order, each once"),
        new("ESP0110", Model + "[[|FreezeVisual|]]" + Class, "'FreezeVisual' names no layer, so nothing is frozen"),
        new("ESP0110", Model + "[[|ShortV()|]]" + Class, "'ShortV' names no layer, so nothing is frozen"),
        new("ESP0111", Model + "[FreezeVisual([|FirstLayer = 5|])]" + Class, "'FreezeVisual(FirstLayer = 5)' does not say which layers to freeze: LastLayer is missing"),
        new("ESP0111", Model + "[FreezeVisual(FirstLayer = 5, [|LastLayer = 4|])]" + Class, "'FreezeVisual(FirstLayer = 5, LastLayer = 4)' does not say which layers to freeze: the range ends before it begins"),
        new("ESP0111", Model + "[FreezeVisual(3, [|FirstLayer = 5|], LastLayer = 7)]" + Class, "'FreezeVisual(3, FirstLayer = 5, LastLayer = 7)' does not say which layers to freeze: it has a list and a range"),
        new("ESP0121", Model + "[VisionZip(Dominant = 27, Contextual = 5)]\n[[|VtcCls(Keep = 36, Layer = 2)|]]" + Class, "'VtcCls(Keep = 36, Layer = 2)' reduces visual tokens at the output of the vision tower, where 'VisionZip(Dominant = 27, Contextual = 5)' reduces them already"),
        new("ESP0121", Model + "[DivPrune(Keep = 27)]\n[[|GPrune|]]" + Class, "'GPrune' reduces visual tokens behind the projector, where 'DivPrune(Keep = 27)' reduces them already"),
        new("ESP0122", "[VisionLanguageModel(\"wide\")]\n[[|VisionZip(Dominant = 54, Contextual = 10)|]]" + Class, "'VisionZip(Dominant = 54, Contextual = 10)' needs the attention that the CLS token pays to the patches, but the vision tower of this model has no CLS token"),
        new("ESP0122", "[VisionLanguageModel(\"wide\")]\n[[|VtcCls(Keep = 54)|]]" + Class, "'VtcCls(Keep = 54)' needs the attention that the CLS token pays to the patches, but the vision tower of this model has no CLS token"),
        new("ESP0123", Model + "[[|VtcCls(Keep = 36)|]]" + Class, "'VtcCls(Keep = 36)' adds up CLS attention from tower layer 16 on, but it can be read in tower layers 0 to 4"),
        new("ESP0123", Model + "[VtcCls(Keep = 36, [|Layer = -1|])]" + Class, "'VtcCls(Keep = 36, Layer = -1)' adds up CLS attention from tower layer -1 on, but it can be read in tower layers 0 to 4"),
    ];

    private static DiagnosticCase[] Counts =>
    [
        new("ESP0102", Model + "[PruneVisual([|AfterLayer = -1|], Keep = 5, Score = TokenScore.TextAttention)]" + Class, "'PruneVisual(AfterLayer = -1, Keep = 5, Score = TextAttention)' prunes after layer -1, but its score is the attention of the layer before, and no layer runs before layer 0"),
        new("ESP0207", Model + "[FastV([|Rows = (FastVRows)2|])]" + Class, "'FastV(Rows = 2)' ranks visual tokens by 2, which is not a member of FastVRows"),
        new("ESP0112", Model + "[PyramidDrop([|S = 1|])]" + Class, "'PyramidDrop(S = 1)' divides the layers into 1 stages; the model has 10 layers, so 2 to 10 stages are possible"),
        new("ESP0112", Model + "[PyramidDrop([|S = 11|])]" + Class, "'PyramidDrop(S = 11)' divides the layers into 11 stages; the model has 10 layers, so 2 to 10 stages are possible"),
        new("ESP0201", Model + "[PyramidDrop([|Lambda = 0.15|], S = 8)]" + Class, "'PyramidDrop(Lambda = 0.15, S = 8)' keeps 0 of 3 visual tokens; keep at least 1, or let all of them leave with ExitVisual"),
        new("ESP0205", Model + "[PyramidDrop([|Lambda = 1|])]" + Class, "'PyramidDrop(Lambda = 1)' has Lambda = 1, which is not between 0 and 1"),
        new("ESP0108", Model + "[FastV(K = 2)]\n[PyramidDrop([|S = 5|], Lambda = 0.4)]" + Class, "'PyramidDrop(S = 5, Lambda = 0.4)' prunes visual tokens before layer 2, where 'FastV(K = 2)' prunes them already"),
        new("ESP0201", Model + "[PruneVisual(AfterLayer = 2, [|Keep = 0|])]" + Class, "'PruneVisual(AfterLayer = 2, Keep = 0)' keeps 0 of 144 visual tokens; keep at least 1, or let all of them leave with ExitVisual"),
        new("ESP0201", Model + "[PruneVisual(AfterLayer = 2, [|Keep = -3|])]" + Class, "'PruneVisual(AfterLayer = 2, Keep = -3)' keeps -3 of 144 visual tokens; keep at least 1, or let all of them leave with ExitVisual"),
        new("ESP0201", Model + "[FastV([|R = 0.999|])]" + Class, "'FastV(R = 0.999)' keeps 0 of 144 visual tokens; keep at least 1, or let all of them leave with ExitVisual"),
        new("ESP0202", Model + "[PruneVisual(AfterLayer = 2, [|Keep = 145|])]" + Class, "'PruneVisual(AfterLayer = 2, Keep = 145)' keeps 145 visual tokens, but the model has 144"),
        new("ESP0203", Model + "[PruneVisual(AfterLayer = 2, Keep = 50)]\n[PruneVisual(AfterLayer = 5, [|Keep = 60|])]" + Class, "'PruneVisual(AfterLayer = 5, Keep = 60)' keeps 60 visual tokens after layer 5, but 'PruneVisual(AfterLayer = 2, Keep = 50)' left only 50; counts cannot rise"),
        new("ESP0204", Model + "[PruneVisual(AfterLayer = 2, [|Keep = 144|])]" + Class, "'PruneVisual(AfterLayer = 2, Keep = 144)' keeps all 144 visual tokens that are there after layer 2, so nothing is pruned"),
        new("ESP0204", Model + "[FastV(K = 2)]\n[PruneVisual(AfterLayer = 2, [|Keep = 72|])]" + Class, "'PruneVisual(AfterLayer = 2, Keep = 72)' keeps all 72 visual tokens that are there after layer 2, so nothing is pruned"),
        new("ESP0205", Model + "[FastV(K = 2, [|R = 1|])]" + Class, "'FastV(K = 2, R = 1)' has R = 1, which is not between 0 and 1"),
        new("ESP0205", Model + "[FastV(K = 2, [|R = 0.0|])]" + Class, "'FastV(K = 2, R = 0)' has R = 0, which is not between 0 and 1"),
        new("ESP0205", Model + "[FastV(K = 2, [|R = double.NaN|])]" + Class, "'FastV(K = 2, R = NaN)' has R = NaN, which is not between 0 and 1"),
        new("ESP0205", Model + "[PruneVisual(AfterLayer = 2, [|KeepRatio = 1.5|])]" + Class, "'PruneVisual(AfterLayer = 2, KeepRatio = 1.5)' has KeepRatio = 1.5, which is not between 0 and 1"),
        new("ESP0206", Model + "[[|PruneVisual(AfterLayer = 2)|]]" + Class, "'PruneVisual(AfterLayer = 2)' must say either Keep or KeepRatio; it says neither"),
        new("ESP0206", Model + "[PruneVisual(AfterLayer = 2, Keep = 5, [|KeepRatio = 0.5|])]" + Class, "'PruneVisual(AfterLayer = 2, Keep = 5, KeepRatio = 0.5)' must say either Keep or KeepRatio; it says both"),
        new("ESP0206", Model + "[[|RandomPrune(Seed = 2)|]]" + Class, "'RandomPrune(Seed = 2)' must say either Keep or KeepRatio; it says neither"),
        new("ESP0207", Model + "[PruneVisual(AfterLayer = 2, Keep = 5, [|Score = (TokenScore)7|])]" + Class, "'PruneVisual(AfterLayer = 2, Keep = 5, Score = 7)' ranks visual tokens by 7, which is not a member of TokenScore"),
        new("ESP0201", Model + "[[|VtcCls(Layer = 2)|]]" + Class, "'VtcCls(Layer = 2)' keeps 0 of 144 visual tokens; keep at least 1, or let all of them leave with ExitVisual"),
        new("ESP0202", Model + "[[|VisionZip|]]" + Class, "'VisionZip' keeps 221 visual tokens, but the model has 144"),
        new("ESP0202", Model + "[VisionZip([|Dominant = 140|], Contextual = 10)]" + Class, "'VisionZip(Dominant = 140, Contextual = 10)' keeps 150 visual tokens, but the model has 144"),
        new("ESP0203", Model + "[VtcCls(Keep = 36, Layer = 2)]\n[DivPrune([|Keep = 40|])]" + Class, "'DivPrune(Keep = 40)' keeps 40 visual tokens behind the projector, but 'VtcCls(Keep = 36, Layer = 2)' left only 36; counts cannot rise"),
        new("ESP0203", Model + "[DivPrune(Keep = 36)]\n[PruneVisual(AfterLayer = 5, [|Keep = 60|])]" + Class, "'PruneVisual(AfterLayer = 5, Keep = 60)' keeps 60 visual tokens after layer 5, but 'DivPrune(Keep = 36)' left only 36; counts cannot rise"),
        new("ESP0204", Model + "[DivPrune([|Keep = 144|])]" + Class, "'DivPrune(Keep = 144)' keeps all 144 visual tokens that are there behind the projector, so nothing is pruned"),
        new("ESP0205", Model + "[DivPrune([|Ratio = 1.0|])]" + Class, "'DivPrune(Ratio = 1)' has Ratio = 1, which is not between 0 and 1"),
        new("ESP0221", Model + "[VisionZip([|Dominant = 0|], Contextual = 10)]" + Class, "'VisionZip(Dominant = 0, Contextual = 10)' has Dominant = 0, which must be from 1 to 1000000"),
        new("ESP0221", Model + "[VisionZip(Dominant = 9, [|Contextual = -1|])]" + Class, "'VisionZip(Dominant = 9, Contextual = -1)' has Contextual = -1, which must be from 0 to 1000000"),
        new("ESP0221", Model + "[GPrune([|Iterations = 0|])]" + Class, "'GPrune(Iterations = 0)' has Iterations = 0, which must be from 1 to 1000"),
        new("ESP0221", Model + "[GPrune([|Temperature = double.NaN|])]" + Class, "'GPrune(Temperature = NaN)' has Temperature = NaN, which must be from 0.01 to 100"),
        new("ESP0221", Model + "[GPrune([|Threshold = 1.0|])]" + Class, "'GPrune(Threshold = 1)' has Threshold = 1, which must be above 0 and below 1"),
        new("ESP0222", Model + "[DivPrune(Keep = 14, [|Ratio = 0.2|])]" + Class, "'DivPrune(Keep = 14, Ratio = 0.2)' says both Keep and Ratio; one of them decides how many visual tokens stay"),
        new("ESP0222", Model + "[GPrune(Keep = 14, [|KeepRatio = 0.2|])]" + Class, "'GPrune(Keep = 14, KeepRatio = 0.2)' says both Keep and KeepRatio; one of them decides how many visual tokens stay"),
    ];

    private static DiagnosticCase Quietly(string id, string source) => new(id, source, null);
}

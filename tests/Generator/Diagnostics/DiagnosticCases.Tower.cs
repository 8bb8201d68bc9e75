namespace Espalier.Tests;

/// <content>Reductions inside the vision tower. The tower of 'shapes' has 6 layers, of which 0 to 4 run.</content>
internal static partial class DiagnosticCases
{
    private static DiagnosticCase[] Tower =>
    [
        new("ESP0141", Model + "[ToMe(R = 5)]\n[[|FiCoCoV(R = 10)|]]" + Class, "'FiCoCoV(R = 10)' reduces visual tokens in tower layers 3-4, where 'ToMe(R = 5)' reduces them already"),
        new("ESP0142", Model + "[FiCoCoV([|StartLayer = 5|])]" + Class, "'FiCoCoV(StartLayer = 5)' reduces visual tokens from tower layer 5 on, but the features of this model come from tower layers 0 to 4"),
        new("ESP0142", Model + "[FiCoCoV([|StartLayer = -2|])]" + Class, "'FiCoCoV(StartLayer = -2)' reduces visual tokens from tower layer -2 on, but the features of this model come from tower layers 0 to 4"),
        new("ESP0143", Model + "[FiCoCoV(R = 10)]\n[[|VtcCls(Keep = 36, Layer = 2)|]]" + Class, "'VtcCls(Keep = 36, Layer = 2)' reads the attention of tower layers 2-4, but 'FiCoCoV(R = 10)' reduces visual tokens in tower layers 3-4, so the attention is not that of the tokens which leave the tower"),
        new("ESP0143", Model + "[ToMe(R = 5)]\n[[|VisionZip(Dominant = 27, Contextual = 5)|]]" + Class, "'VisionZip(Dominant = 27, Contextual = 5)' reads the attention of tower layer 4, but 'ToMe(R = 5)' reduces visual tokens in tower layers 0-4, so the attention is not that of the tokens which leave the tower"),
        new("ESP0143", Model + "[FiCoCoV(R = 10)]\n[[|FoPru(Keep = 36)|]]" + Class, "'FoPru(Keep = 36)' reads the attention of tower layer 4, but 'FiCoCoV(R = 10)' reduces visual tokens in tower layers 3-4, so the attention is not that of the tokens which leave the tower"),
        new("ESP0143", Model + "[FiCoCoV(R = 10)]\n[[|PruMerge|]]" + Class, "'PruMerge' reads the attention of tower layer 5, but 'FiCoCoV(R = 10)' reduces visual tokens in tower layers 3-4, so the attention is not that of the tokens which leave the tower"),
        new("ESP0201", Model + "[FiCoCoV([|R = 72|])]" + Class, "'FiCoCoV(R = 72)' keeps 0 of 144 visual tokens; keep at least 1, or let all of them leave with ExitVisual"),
        new("ESP0201", Model + "[[|FiCoCoV(StartLayer = 1)|]]" + Class, "'FiCoCoV(StartLayer = 1)' keeps -24 of 144 visual tokens; keep at least 1, or let all of them leave with ExitVisual"),
        new("ESP0203", Model + "[FiCoCoV(R = 42)]\n[DivPrune([|Keep = 61|])]" + Class, "'DivPrune(Keep = 61)' keeps 61 visual tokens behind the projector, but 'FiCoCoV(R = 42)' left only 60; counts cannot rise"),
        new("ESP0204", Model + "[FiCoCoV([|R = 0|])]" + Class, "'FiCoCoV(R = 0)' keeps all 144 visual tokens that are there inside the vision tower, so nothing is pruned"),
        new("ESP0204", Model + "[[|ToMe|]]" + Class, "'ToMe' keeps all 144 visual tokens that are there inside the vision tower, so nothing is pruned"),
        new("ESP0223", Model + "[FiCoCoV([|Mode = (FiCoCoMode)2|])]" + Class, "'FiCoCoV(Mode = 2)' has Mode = 2, which is not a member of FiCoCoMode"),
        new("ESP0223", Model + "[FiCoCoV([|Redundancy = (FiCoCoRedundancy)9|])]" + Class, "'FiCoCoV(Redundancy = 9)' has Redundancy = 9, which is not a member of FiCoCoRedundancy"),
        new("ESP0221", Model + "[FiCoCoV([|R = -1|])]" + Class, "'FiCoCoV(R = -1)' has R = -1, which must be from 1 to 1000000"),
        new("ESP0221", Model + "[FiCoCoV([|Lambda = double.NaN|])]" + Class, "'FiCoCoV(Lambda = NaN)' has Lambda = NaN, which must be from 0 to 1"),
        new("ESP0221", Model + "[FiCoCoV([|Epsilon = 1.1|])]" + Class, "'FiCoCoV(Epsilon = 1.1)' has Epsilon = 1.1, which must be from 0 to 1"),
        new("ESP0221", Model + "[FiCoCoV([|Window = 0|])]" + Class, "'FiCoCoV(Window = 0)' has Window = 0, which must be from 1 to 1000"),
        new("ESP0221", Model + "[FiCoCoV([|Coefficient = 0.5|])]" + Class, "'FiCoCoV(Coefficient = 0.5)' has Coefficient = 0.5, which must be from 1 to 1000"),
        new("ESP0141", Model + "[PruneAndMerge(1, 3, Keep = 72)]\n[[|FiCoCoV(R = 10)|]]" + Class, "'FiCoCoV(R = 10)' reduces visual tokens in tower layer 3, where 'PruneAndMerge(1, 3, Keep = 72)' reduces them already"),
        new("ESP0142", Model + "[PruneAndMerge(1, [|5|], Keep = 72)]" + Class, "'PruneAndMerge(1, 5, Keep = 72)' reduces visual tokens from tower layer 5 on, but the features of this model come from tower layers 0 to 4"),
        new("ESP0143", Model + "[PruneAndMerge(1, Keep = 72)]\n[[|VtcCls(Keep = 36, Layer = 2)|]]" + Class, "'VtcCls(Keep = 36, Layer = 2)' reads the attention of tower layers 2-4, but 'PruneAndMerge(1, Keep = 72)' reduces visual tokens in tower layer 1, so the attention is not that of the tokens which leave the tower"),
        new("ESP0201", Model + "[PruneAndMerge(1, [|Keep = 0|])]" + Class, "'PruneAndMerge(1, Keep = 0)' keeps 0 of 144 visual tokens; keep at least 1, or let all of them leave with ExitVisual"),
        new("ESP0204", Model + "[PruneAndMerge(1, [|Keep = 144|])]" + Class, "'PruneAndMerge(1, Keep = 144)' keeps all 144 visual tokens that are there inside the vision tower, so nothing is pruned"),
        new("ESP0206", Model + "[[|PruneAndMerge(1)|]]" + Class, "'PruneAndMerge(1)' must say either Keep or KeepRatio; it says neither"),
        new("ESP0221", Model + "[PruneAndMerge(2, [|1|], Keep = 72)]" + Class, "'PruneAndMerge(2, 1, Keep = 72)' has layers = 1, which must be above 2, the one before it"),
        new("ESP0221", Model + "[[|PruneAndMerge(Keep = 72)|]]" + Class, "'PruneAndMerge(Keep = 72)' has layers = 0, which must be at least one layer of the vision tower"),
        new("ESP0142", Model + "[Elip(1, [|5|], Ratios = new[] { 0.8, 0.5 })]" + Class, "'Elip(1, 5, Ratios = [0.8, 0.5])' reduces visual tokens from tower layer 5 on, but the features of this model come from tower layers 0 to 4"),
        new("ESP0142", Model + "[[|Elip|]]" + Class, "'Elip' reduces visual tokens from tower layer 10 on, but the features of this model come from tower layers 0 to 4"),
        new("ESP0122", "[VisionLanguageModel(\"wide\")]\n[[|Elip|]]" + Class, "'Elip' needs the attention that the CLS token pays to the patches some layers ahead, but the vision tower of this model has no CLS token"),
        new("ESP0141", Model + "[Elip(1, Ratios = new[] { 0.8 })]\n[[|FiCoCoV(R = 10)|]]" + Class, "'FiCoCoV(R = 10)' reduces visual tokens in tower layers 3-4, where 'Elip(1, Ratios = [0.8])' reduces them already"),
        new("ESP0143", Model + "[Elip(1, Ratios = new[] { 0.8 })]\n[[|VtcCls(Keep = 36, Layer = 2)|]]" + Class, "'VtcCls(Keep = 36, Layer = 2)' reads the attention of tower layers 2-4, but 'Elip(1, Ratios = [0.8])' reduces visual tokens in tower layers 1-4, so the attention is not that of the tokens which leave the tower"),
        new("ESP0221", Model + "[Elip(2, [|2|], Ratios = new[] { 0.8, 0.5 })]" + Class, "'Elip(2, 2, Ratios = [0.8, 0.5])' has layers = 2, which must be above 2, the one before it"),
        new("ESP0221", Model + "[Elip(1, 2, [|Ratios = new[] { 0.8 }|])]" + Class, "'Elip(1, 2, Ratios = [0.8])' has Ratios = 1, which must be as many numbers as there are layers, 2"),
        new("ESP0221", Model + "[[|Elip(1, 2)|]]" + Class, "'Elip(1, 2)' has Ratios = 3, which must be as many numbers as there are layers, 2"),
        new("ESP0221", Model + "[Elip(1, 2, Ratios = new[] { 0.5, [|0.5|] })]" + Class, "'Elip(1, 2, Ratios = [0.5, 0.5])' has Ratios = 0.5, which must be above 0 and below 1, and leave fewer than the 73 tokens that are there, with one for all others"),
        new("ESP0221", Model + "[Elip(1, Ratios = new[] { [|0.995|] })]" + Class, "'Elip(1, Ratios = [0.995])' has Ratios = 0.995, which must be above 0 and below 1, and leave fewer than the 144 tokens that are there, with one for all others"),
        new("ESP0221", Model + "[Elip(1, Ratios = new[] { [|double.NaN|] })]" + Class, "'Elip(1, Ratios = [NaN])' has Ratios = NaN, which must be above 0 and below 1, and leave fewer than the 144 tokens that are there, with one for all others"),
        new("ESP0221", Model + "[Elip(1, Ratios = new[] { 0.8 }, [|LookAhead = -1|])]" + Class, "'Elip(1, Ratios = [0.8], LookAhead = -1)' has LookAhead = -1, which must be from 1 to 1000, or 0 for all layers up to the next place"),
        new("ESP0221", Model + "[ToMe([|R = -3|])]" + Class, "'ToMe(R = -3)' has R = -3, which must be from 1 to 1000000"),
        new("ESP0221", Model + "[ToMe(R = 5, [|Inflection = 1.5|])]" + Class, "'ToMe(R = 5, Inflection = 1.5)' has Inflection = 1.5, which must be from -1 to 1"),
    ];

    private static DiagnosticCase[] TowerQuiet =>
    [
        Quietly("ESP0141", Model + "[ToMe(R = 5)]\n[DivPrune(Keep = 60)]" + Class),
        Quietly("ESP0141", Model + "[PruneAndMerge(0, 2, KeepRatio = 0.5)]\n[FiCoCoV(R = 10)]\n[DivPrune(Keep = 36)]" + Class),
        Quietly("ESP0221", "[VisionLanguageModel(\"wide\")]\n[PruneAndMerge(1, KeepRatio = 0.5)]" + Class),
        Quietly("ESP0142", Model + "[Elip(0, 4, Ratios = new[] { 0.99, 0.98 }, LookAhead = 1000)]" + Class),
        Quietly("ESP0142", Model + "[FiCoCoV(StartLayer = 4)]" + Class),
        Quietly("ESP0142", Model + "[FiCoCoV(StartLayer = -1)]" + Class),
        Quietly("ESP0143", Model + "[FiCoCoV(R = 10)]\n[DivPrune(Keep = 36)]\n[FastV]" + Class),
        Quietly("ESP0201", Model + "[ToMe(R = 1000)]" + Class),
        Quietly("ESP0201", Model + "[FiCoCoV(R = 71)]" + Class),
        Quietly("ESP0221", Model + "[FiCoCoV(R = 1, Lambda = 0, Epsilon = 1, Window = 1, Coefficient = 1)]" + Class),
        Quietly("ESP0221", "[VisionLanguageModel(\"wide\")]\n[FiCoCoV(Mode = FiCoCoMode.Code, Redundancy = FiCoCoRedundancy.SoftmaxRows)]" + Class),
        Quietly("ESP0221", Model + "[ToMe(R = 5, Inflection = -1, ProportionalAttention = false)]" + Class),
    ];
}

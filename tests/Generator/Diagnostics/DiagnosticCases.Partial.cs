namespace Espalier.Tests;

/// <content>Visual tokens that stay and do less work.</content>
internal static partial class DiagnosticCases
{
    private static DiagnosticCase[] Partial =>
    [
        new("ESP0101", Model + "[RedundancyLens(4, [|10|])]" + Class, "'RedundancyLens(4, 10)' names layer 10, but the model has decoder layers 0 to 9"),
        new("ESP0101", Model + "[YopoHeads(1, [|Layer = 12|])]" + Class, "'YopoHeads(1, Layer = 12)' names layer 12, but the model has decoder layers 0 to 9"),
        new("ESP0106", Model + "[Vtw(K = 5)]\n[Yopo([|LayerCut = 8|])]" + Class, "'Yopo(LayerCut = 8)' lets all visual tokens leave before layer 8, but they already left before layer 5 by 'Vtw(K = 5)'"),
        new("ESP0109", Model + "[RedundancyLens(4, 5, [|4|])]" + Class, "'RedundancyLens(4, 5, 4)' names layer 4 behind layer 4; write the layers in ascending order, each once"),
        new("ESP0117", Model + "[DyVte]\n[[|Yopo(LayerCut = 8)|]]" + Class, "'Yopo(LayerCut = 8)' lets all visual tokens leave before layer 8, where a gate of 'DyVte' may have let all of them leave already"),
        new("ESP0151", Model + "[Yopo]\n[RedundancyLens([|4|], 5)]" + Class, "'RedundancyLens(4, 5)' says which neurons visual tokens use in layer 4, and so does 'Yopo'"),
        new("ESP0151", Model + "[RedundancyLens(4, 5, RA = 9, FeedForward = false)]\n[[|Yopo|]]" + Class, "'Yopo' says which visual tokens are in reach in layer 4, and so does 'RedundancyLens(4, 5, RA = 9, FeedForward = false)'"),
        new("ESP0151", Model + "[YopoHeads(1, Layer = 4)]\n[YopoHeads(2, [|Layer = 4|])]" + Class, "'YopoHeads(2, Layer = 4)' says which heads visual tokens do without in layer 4, and so does 'YopoHeads(1, Layer = 4)'"),
        new("ESP0152", Model + "[ShortV(5, 6)]\n[RedundancyLens(4, [|5|])]" + Class, "'RedundancyLens(4, 5)' lets visual tokens do less work in layer 5, where 'ShortV(5, 6)' freezes them"),
        new("ESP0152", Model + "[FiCoCoL(StartLayer = 6)]\n[YopoHeads(2, [|Layer = 7|])]" + Class, "'YopoHeads(2, Layer = 7)' lets visual tokens do less work in layer 7, where 'FiCoCoL(StartLayer = 6)' merges them"),
        new("ESP0152", Model + "[Aim(L1 = 2, L2 = 6)]\n[RedundancyLens(2, [|3|], 6)]" + Class, "'RedundancyLens(2, 3, 6)' lets visual tokens do less work in layer 3, where 'Aim(L1 = 2, L2 = 6)' ranks by all attention of them"),
        new("ESP0152", Model + "[Aim(L1 = 2, L2 = 6)]\n[YopoHeads(2, [|Layer = 5|])]" + Class, "'YopoHeads(2, Layer = 5)' lets visual tokens do less work in layer 5, where 'Aim(L1 = 2, L2 = 6)' ranks by all attention of them"),
        new("ESP0153", Model + "[Vtw(K = 8)]\n[RedundancyLens(4, [|8|])]" + Class, "'RedundancyLens(4, 8)' lets visual tokens do less work in layer 8, but all of them leave before layer 8 by 'Vtw(K = 8)'"),
        new("ESP0154", Model + "[ToMe(R = 5)]\n[[|Yopo|]]" + Class, "'Yopo' lets visual tokens attend to their neighbours on the patch grid in layer 0, but 'ToMe(R = 5)' makes tokens of several patches before"),
        new("ESP0154", Model + "[FiCoCoL(R = 4, StartLayer = 6, LastLayer = 6)]\n[[|Yopo(Ratio = 1)|]]" + Class, "'Yopo(Ratio = 1)' lets visual tokens attend to their neighbours on the patch grid in layer 7, but 'FiCoCoL(R = 4, StartLayer = 6, LastLayer = 6)' makes tokens of several patches before"),
        new("ESP0155", Model + "[[|RedundancyLens(4, FeedForward = false)|]]" + Class, "'RedundancyLens(4, FeedForward = false)' leaves visual tokens as much work as they have without it: all 144 visual tokens are in reach"),
        new("ESP0155", Model + "[[|RedundancyLens(4, K = 0.9, M = 0.5)|]]" + Class, "'RedundancyLens(4, K = 0.9, M = 0.5)' leaves visual tokens as much work as they have without it: 461 of 512 neurons and what finding them takes are as many products"),
        new("ESP0155", Model + "[[|RedundancyLens|]]" + Class, "'RedundancyLens' leaves visual tokens as much work as they have without it: it names no layer"),
        new("ESP0155", Model + "[[|YopoHeads(Layer = 3)|]]" + Class, "'YopoHeads(Layer = 3)' leaves visual tokens as much work as they have without it: it names no head"),
        new("ESP0155", Model + "[[|Yopo(W = 23, Ratio = 1)|]]" + Class, "'Yopo(W = 23, Ratio = 1)' leaves visual tokens as much work as they have without it: all 144 visual tokens are in reach"),
        new("ESP0155", Model + "[[|Yopo(W = 0, Ratio = 1)|]]" + Class, "'Yopo(W = 0, Ratio = 1)' leaves visual tokens as much work as they have without it: all neurons, all heads, and all visual tokens in reach"),
        new("ESP0156", """[VisionLanguageModel("shapes", [|Precision = Precision.Int8|])]""" + "\n[Yopo]" + Class, "'C' declares the precision Int8, but its policies let visual tokens multiply parts of the decoder's weights, which are quantised as a whole"),
        new("ESP0221", Model + "[Yopo([|W = 4|])]" + Class, "'Yopo(W = 4)' has W = 4, which must be 0, or an odd number below 10000"),
        new("ESP0221", Model + "[Yopo([|Ratio = 0|])]" + Class, "'Yopo(Ratio = 0)' has Ratio = 0, which must be from 1 to 512"),
        new("ESP0221", Model + "[Yopo([|FirstLayer = 10|])]" + Class, "'Yopo(FirstLayer = 10)' has FirstLayer = 10, which must be from 0 to 9"),
        new("ESP0221", Model + "[Yopo([|LayerCut = 0|])]" + Class, "'Yopo(LayerCut = 0)' has LayerCut = 0, which must be above FirstLayer"),
        new("ESP0221", Model + "[YopoHeads(0, [|6|], Layer = 3)]" + Class, "'YopoHeads(0, 6, Layer = 3)' has heads = 6, which must be from 0 to 5"),
        new("ESP0221", Model + "[YopoHeads(0, [|0|], Layer = 3)]" + Class, "'YopoHeads(0, 0, Layer = 3)' has heads = 0, which must be written once"),
        new("ESP0221", Model + "[RedundancyLens(4, [|RA = 0|])]" + Class, "'RedundancyLens(4, RA = 0)' has RA = 0, which must be from 1 to 1000000"),
        new("ESP0205", Model + "[RedundancyLens(4, [|K = 1.0|])]" + Class, "'RedundancyLens(4, K = 1)' has K = 1, which is not between 0 and 1"),
    ];

    private static DiagnosticCase[] PartialQuiet =>
    [
        Quietly("ESP0151", Model + "[Yopo(Ratio = 1)]\n[RedundancyLens(4, 5, Attention = false)]\n[YopoHeads(1, Layer = 4)]" + Class),
        Quietly("ESP0152", Model + "[ShortV(5, 6)]\n[Yopo(W = 0)]\n[FiCoCoL(R = 4, StartLayer = 7)]" + Class),
        Quietly("ESP0152", Model + "[Aim(L1 = 2, L2 = 6)]\n[RedundancyLens(1, 2, 6)]\n[YopoHeads(2, Layer = 6)]" + Class),
        Quietly("ESP0153", Model + "[Vtw(K = 8)]\n[RedundancyLens(4, 7)]\n[Yopo(Ratio = 1, W = 3)]" + Class),
        Quietly("ESP0154", Model + "[DivPrune(Keep = 40)]\n[FastV(K = 2)]\n[Yopo]" + Class),
        Quietly("ESP0154", Model + "[ToMe(R = 5)]\n[Yopo(W = 0)]" + Class),
        Quietly("ESP0155", Model + "[Yopo(W = 21, Ratio = 1)]" + Class),
        Quietly("ESP0156", """[VisionLanguageModel("shapes", Precision = Precision.Int8)]""" + "\n[Yopo(Ratio = 1)]" + Class),
        Quietly("ESP0156", Model + "[Yopo]" + Class),
        Quietly("ESP0156", """[VisionLanguageModel("shapes", Precision = Precision.Float16)]""" + "\n[Yopo]" + Class),
    ];
}

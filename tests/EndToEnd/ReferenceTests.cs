using System.Text.Json;
using Espalier.Tests.Declared;
using Espalier.Vision;

namespace Espalier.Tests;

/// <summary>Every declared variant against the PyTorch reference: kept indices exactly, KV rows exactly, logits within 1e-4 in prefill and in eight decode steps.</summary>
public sealed class ReferenceTests
{
    private const float Tolerance = 1e-4f;

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach ((string model, string name) in Models.Keys)
        {
            data.Add(model, name);
        }

        return data;
    }

    private static Dictionary<(string Model, string Case), Func<Checkpoint, VisionLanguageModel>> Models { get; } = new()
    {
        [("clip-llama", "dense")] = static c => ClipLlamaDense.Load(c),
        [("clip-llama", "fastv")] = static c => ClipLlamaFastV.Load(c),
        [("clip-llama", "shortv")] = static c => ClipLlamaShortV.Load(c),
        [("clip-llama", "vtw")] = static c => ClipLlamaVtw.Load(c),
        [("clip-llama", "all")] = static c => ClipLlamaAll.Load(c),
        [("clip-llama", "scored-frozen")] = static c => ClipLlamaScoredFrozen.Load(c),
        [("clip-llama", "exit-at-prune")] = static c => ClipLlamaExitAtPrune.Load(c),
        [("clip-llama", "dyvte")] = static c => ClipLlamaDyVte.Load(c),
        [("clip-llama", "dyvte-late")] = static c => ClipLlamaDyVteLate.Load(c),
        [("clip-llama", "dyvte-pruned")] = static c => ClipLlamaDyVtePruned.Load(c),
        [("clip-llama", "victor")] = static c => ClipLlamaVictor.Load(c),
        [("clip-llama", "victor-together")] = static c => ClipLlamaVictorTogether.Load(c),
        [("clip-llama", "victor-renumbered")] = static c => ClipLlamaVictorRenumbered.Load(c),
        [("clip-llama", "random")] = static c => ClipLlamaRandom.Load(c),
        [("clip-llama", "norm")] = static c => ClipLlamaNorm.Load(c),
        [("clip-llama", "norm-twice")] = static c => ClipLlamaNormTwice.Load(c),
        [("clip-llama", "ffnskip")] = static c => ClipLlamaFfnSkip.Load(c),
        [("clip-llama", "ffnskip-together")] = static c => ClipLlamaFfnSkipTogether.Load(c),
        [("siglip-qwen2", "ffnskip")] = static c => SiglipQwen2FfnSkip.Load(c),
        [("clip-llama", "sepllm")] = static c => ClipLlamaSepLlm.Load(c),
        [("clip-llama", "sepllm-together")] = static c => ClipLlamaSepLlmTogether.Load(c),
        [("siglip-qwen2", "sepllm")] = static c => SiglipQwen2SepLlm.Load(c),
        [("clip-llama", "merge")] = static c => ClipLlamaMerge.Load(c),
        [("clip-llama", "merge-twice")] = static c => ClipLlamaMergeTwice.Load(c),
        [("clip-llama", "ficocol")] = static c => ClipLlamaFiCoCoL.Load(c),
        [("clip-llama", "ficocol-code")] = static c => ClipLlamaFiCoCoLCode.Load(c),
        [("clip-llama", "ficocol-columns")] = static c => ClipLlamaFiCoCoLColumns.Load(c),
        [("clip-llama", "ficocol-rows")] = static c => ClipLlamaFiCoCoLRows.Load(c),
        [("clip-llama", "ficoco-vl")] = static c => ClipLlamaFiCoCoVL.Load(c),
        [("clip-llama", "ficocol-together")] = static c => ClipLlamaFiCoCoLTogether.Load(c),
        [("siglip-qwen2", "ficocol")] = static c => SiglipQwen2FiCoCoL.Load(c),
        [("siglip-qwen2", "ficocol-columns")] = static c => SiglipQwen2FiCoCoLColumns.Load(c),
        [("clip-llama", "pyramid")] = static c => ClipLlamaPyramid.Load(c),
        [("clip-llama", "pyramid-together")] = static c => ClipLlamaPyramidTogether.Load(c),
        [("clip-llama", "sparsevlm")] = static c => ClipLlamaSparseVlm.Load(c),
        [("clip-llama", "sparsevlm-rank")] = static c => ClipLlamaSparseVlmRank.Load(c),
        [("clip-llama", "sparsevlm-lambda")] = static c => ClipLlamaSparseVlmLambda.Load(c),
        [("clip-llama", "sparsevlm-dropped")] = static c => ClipLlamaSparseVlmDropped.Load(c),
        [("clip-llama", "sparsevlm-rank-dropped")] = static c => ClipLlamaSparseVlmRankDropped.Load(c),
        [("clip-llama", "sparsevlm-together")] = static c => ClipLlamaSparseVlmTogether.Load(c),
        [("clip-llama", "sparsevlm-plus")] = static c => ClipLlamaSparseVlmPlus.Load(c),
        [("clip-llama", "sparsevlm-plus-together")] = static c => ClipLlamaSparseVlmPlusTogether.Load(c),
        [("siglip-qwen2", "sparsevlm")] = static c => SiglipQwen2SparseVlm.Load(c),
        [("clip-llama", "visionzip")] = static c => ClipLlamaVisionZip.Load(c),
        [("clip-llama", "vtccls")] = static c => ClipLlamaVtcCls.Load(c),
        [("clip-llama", "divprune")] = static c => ClipLlamaDivPrune.Load(c),
        [("clip-llama", "gprune")] = static c => ClipLlamaGPrune.Load(c),
        [("clip-llama", "vision-and-decoder")] = static c => ClipLlamaVisionAndDecoder.Load(c),
        [("clip-llama", "ficoco-v")] = static c => ClipLlamaFiCoCoV.Load(c),
        [("clip-llama", "ficoco-v-code")] = static c => ClipLlamaFiCoCoVCode.Load(c),
        [("clip-llama", "ficoco-v-columns")] = static c => ClipLlamaFiCoCoVColumns.Load(c),
        [("clip-llama", "tome")] = static c => ClipLlamaToMe.Load(c),
        [("clip-llama", "tome-inflection")] = static c => ClipLlamaToMeInflection.Load(c),
        [("clip-llama", "pruneandmerge")] = static c => ClipLlamaPruneAndMerge.Load(c),
        [("clip-llama", "pruneandmerge-learned")] = static c => ClipLlamaPruneAndMergeLearned.Load(c),
        [("siglip-qwen2", "pruneandmerge")] = static c => SiglipQwen2PruneAndMerge.Load(c),
        [("clip-llama", "elip")] = static c => ClipLlamaElip.Load(c),
        [("clip-llama", "elip-ahead")] = static c => ClipLlamaElipAhead.Load(c),
        [("clip-llama", "elip-near")] = static c => ClipLlamaElipNear.Load(c),
        [("clip-llama", "tower-and-decoder")] = static c => ClipLlamaTowerAndDecoder.Load(c),
        [("clip-llama", "kept-positions")] = static c => ClipLlamaKeptPositions.Load(c),
        [("clip-llama", "similarity")] = static c => ClipLlamaSimilarity.Load(c),
        [("clip-llama", "similarity-steps")] = static c => ClipLlamaSimilaritySteps.Load(c),
        [("clip-llama", "similarity-bend")] = static c => ClipLlamaSimilarityBend.Load(c),
        [("clip-llama", "similarity-text")] = static c => ClipLlamaSimilarityText.Load(c),
        [("clip-llama", "prumerge")] = static c => ClipLlamaPruMerge.Load(c),
        [("clip-llama", "prumerge-plus")] = static c => ClipLlamaPruMergePlus.Load(c),
        [("clip-llama", "recoverable")] = static c => ClipLlamaRecoverable.Load(c),
        [("clip-llama", "recoverable-steps")] = static c => ClipLlamaRecoverableSteps.Load(c),
        [("clip-llama", "fopru")] = static c => ClipLlamaFoPru.Load(c),
        [("clip-llama", "fopru-rows")] = static c => ClipLlamaFoPruRows.Load(c),
        [("clip-llama", "cdpruner")] = static c => ClipLlamaCDPruner.Load(c),
        [("clip-llama", "similarity-cdpruner")] = static c => ClipLlamaSimilarityCDPruner.Load(c),
        [("clip-llama", "aim")] = static c => ClipLlamaAim.Load(c),
        [("clip-llama", "aim-together")] = static c => ClipLlamaAimTogether.Load(c),
        [("clip-llama", "similarity-aim")] = static c => ClipLlamaSimilarityAim.Load(c),
        [("clip-llama", "dart")] = static c => ClipLlamaDart.Load(c),
        [("clip-llama", "similarity-dart")] = static c => ClipLlamaSimilarityDart.Load(c),
        [("siglip-qwen2", "dart")] = static c => SiglipQwen2Dart.Load(c),
        [("siglip-qwen2", "aim")] = static c => SiglipQwen2Aim.Load(c),
        [("siglip-qwen2", "aim-relative")] = static c => SiglipQwen2AimRelative.Load(c),
        [("siglip-qwen2", "fopru")] = static c => SiglipQwen2FoPru.Load(c),
        [("clip-llama", "fastv-mean")] = static c => ClipLlamaFastVMean.Load(c),
        [("clip-llama", "fastv-mean-frozen")] = static c => ClipLlamaFastVMeanFrozen.Load(c),
        [("clip-llama", "yopo")] = static c => ClipLlamaYopo.Load(c),
        [("clip-llama", "yopo-neurons")] = static c => ClipLlamaYopoNeurons.Load(c),
        [("clip-llama", "yopo-around")] = static c => ClipLlamaYopoAround.Load(c),
        [("clip-llama", "yopo-heads")] = static c => ClipLlamaYopoHeads.Load(c),
        [("clip-llama", "yopo-together")] = static c => ClipLlamaYopoTogether.Load(c),
        [("clip-llama", "lens")] = static c => ClipLlamaLens.Load(c),
        [("clip-llama", "lens-together")] = static c => ClipLlamaLensTogether.Load(c),
        [("clip-llama", "lens-gated")] = static c => ClipLlamaLensGated.Load(c),
        [("clip-llama", "victor-partial")] = static c => ClipLlamaVictorPartial.Load(c),
        [("siglip-qwen2", "yopo")] = static c => SiglipQwen2Yopo.Load(c),
        [("siglip-qwen2", "lens")] = static c => SiglipQwen2Lens.Load(c),
        [("shapes", "q1.yopo")] = static c => ShapesYopo.Load(c),
        [("shapes", "q1.lens")] = static c => ShapesLens.Load(c),
        [("shapes", "q2.yopo")] = static c => ShapesYopo.Load(c),
        [("shapes", "q2.lens")] = static c => ShapesLens.Load(c),
        [("clip-llama-f16", "dense")] = static c => ClipLlamaF16Dense.Load(c),
        [("clip-llama-f16", "fastv")] = static c => ClipLlamaF16FastV.Load(c),
        [("clip-llama-f16", "shortv")] = static c => ClipLlamaF16ShortV.Load(c),
        [("clip-llama-f16", "vtw")] = static c => ClipLlamaF16Vtw.Load(c),
        [("clip-llama-f16", "all")] = static c => ClipLlamaF16All.Load(c),
        [("siglip-qwen2", "dense")] = static c => SiglipQwen2Dense.Load(c),
        [("siglip-qwen2", "fastv")] = static c => SiglipQwen2FastV.Load(c),
        [("siglip-qwen2", "fastv-half")] = static c => SiglipQwen2FastVHalf.Load(c),
        [("siglip-qwen2", "divprune")] = static c => SiglipQwen2DivPrune.Load(c),
        [("siglip-qwen2", "visionzip")] = static c => SiglipQwen2VisionZip.Load(c),
        [("siglip-qwen2", "ficoco-v")] = static c => SiglipQwen2FiCoCoV.Load(c),
        [("siglip-qwen2", "tome")] = static c => SiglipQwen2ToMe.Load(c),
        [("siglip-qwen2", "tome-inflection")] = static c => SiglipQwen2ToMeInflection.Load(c),
        [("siglip-qwen2", "shortv")] = static c => SiglipQwen2ShortV.Load(c),
        [("siglip-qwen2", "vtw")] = static c => SiglipQwen2Vtw.Load(c),
        [("siglip-qwen2", "all")] = static c => SiglipQwen2All.Load(c),
        [("siglip-qwen2", "random")] = static c => SiglipQwen2Random.Load(c),
        [("siglip-qwen2", "norm")] = static c => SiglipQwen2Norm.Load(c),
        [("siglip-qwen2", "pyramid")] = static c => SiglipQwen2Pyramid.Load(c),
        [("siglip-qwen2", "fastv-mean")] = static c => SiglipQwen2FastVMean.Load(c),
        [("shapes", "q1.dense")] = static c => ShapesDense.Load(c),
        [("shapes", "q1.fastv")] = static c => ShapesFastV.Load(c),
        [("shapes", "q1.shortv")] = static c => ShapesShortV.Load(c),
        [("shapes", "q1.vtw")] = static c => ShapesVtw.Load(c),
        [("shapes", "q1.all")] = static c => ShapesAll.Load(c),
        [("shapes", "q2.dense")] = static c => ShapesDense.Load(c),
        [("shapes", "q2.fastv")] = static c => ShapesFastV.Load(c),
        [("shapes", "q2.shortv")] = static c => ShapesShortV.Load(c),
        [("shapes", "q2.vtw")] = static c => ShapesVtw.Load(c),
        [("shapes", "q2.all")] = static c => ShapesAll.Load(c),
        [("shapes", "q1.sparsevlm")] = static c => ShapesSparseVlm.Load(c),
        [("shapes", "q1.sparsevlm-rank")] = static c => ShapesSparseVlmRank.Load(c),
        [("shapes", "q1.sparsevlm-plus")] = static c => ShapesSparseVlmPlus.Load(c),
        [("shapes", "q1.elip")] = static c => ShapesElip.Load(c),
        [("shapes", "q1.recoverable")] = static c => ShapesRecoverable.Load(c),
        [("shapes", "q1.aim")] = static c => ShapesAim.Load(c),
        [("shapes", "q1.aim-merged")] = static c => ShapesAimMerged.Load(c),
        [("shapes", "q1.ficocol")] = static c => ShapesFiCoCoL.Load(c),
        [("shapes", "q1.ficocol-columns")] = static c => ShapesFiCoCoLColumns.Load(c),
        [("shapes", "q1.ficoco-v")] = static c => ShapesFiCoCoV.Load(c),
        [("shapes", "q1.tome")] = static c => ShapesToMe.Load(c),
        [("shapes", "q1.pyramid")] = static c => ShapesPyramid.Load(c),
        [("shapes", "q1.dart")] = static c => ShapesDart.Load(c),
        [("shapes", "q1.visionzip")] = static c => ShapesVisionZip.Load(c),
        [("shapes", "q1.vtccls")] = static c => ShapesVtcCls.Load(c),
        [("shapes", "q1.divprune")] = static c => ShapesDivPrune.Load(c),
        [("shapes", "q1.gprune")] = static c => ShapesGPrune.Load(c),
        [("shapes", "q1.cdpruner")] = static c => ShapesCDPruner.Load(c),
        [("shapes", "q1.prumerge")] = static c => ShapesPruMerge.Load(c),
        [("shapes", "q1.prumerge-plus")] = static c => ShapesPruMergePlus.Load(c),
        [("shapes", "q1.fopru")] = static c => ShapesFoPru.Load(c),
        [("shapes", "q1.similarity")] = static c => ShapesSimilarity.Load(c),
        [("shapes", "q1.fastv-mean")] = static c => ShapesFastVMean.Load(c),
        [("shapes", "q1.fopru-rows")] = static c => ShapesFoPruRows.Load(c),
        [("shapes", "q1.ficoco-vl")] = static c => ShapesFiCoCoVL.Load(c),
        [("shapes", "q1.similarity-text")] = static c => ShapesSimilarityText.Load(c),
        [("shapes", "q2.sparsevlm")] = static c => ShapesSparseVlm.Load(c),
        [("shapes", "q2.sparsevlm-rank")] = static c => ShapesSparseVlmRank.Load(c),
        [("shapes", "q2.sparsevlm-plus")] = static c => ShapesSparseVlmPlus.Load(c),
        [("shapes", "q2.elip")] = static c => ShapesElip.Load(c),
        [("shapes", "q2.recoverable")] = static c => ShapesRecoverable.Load(c),
        [("shapes", "q2.aim")] = static c => ShapesAim.Load(c),
        [("shapes", "q2.aim-merged")] = static c => ShapesAimMerged.Load(c),
        [("shapes", "q2.ficocol")] = static c => ShapesFiCoCoL.Load(c),
        [("shapes", "q2.ficocol-columns")] = static c => ShapesFiCoCoLColumns.Load(c),
        [("shapes", "q2.ficoco-v")] = static c => ShapesFiCoCoV.Load(c),
        [("shapes", "q2.tome")] = static c => ShapesToMe.Load(c),
        [("shapes", "q2.pyramid")] = static c => ShapesPyramid.Load(c),
        [("shapes", "q2.dart")] = static c => ShapesDart.Load(c),
        [("shapes", "q2.visionzip")] = static c => ShapesVisionZip.Load(c),
        [("shapes", "q2.vtccls")] = static c => ShapesVtcCls.Load(c),
        [("shapes", "q2.divprune")] = static c => ShapesDivPrune.Load(c),
        [("shapes", "q2.gprune")] = static c => ShapesGPrune.Load(c),
        [("shapes", "q2.cdpruner")] = static c => ShapesCDPruner.Load(c),
        [("shapes", "q2.prumerge")] = static c => ShapesPruMerge.Load(c),
        [("shapes", "q2.prumerge-plus")] = static c => ShapesPruMergePlus.Load(c),
        [("shapes", "q2.fopru")] = static c => ShapesFoPru.Load(c),
        [("shapes", "q2.similarity")] = static c => ShapesSimilarity.Load(c),
        [("shapes", "q2.fastv-mean")] = static c => ShapesFastVMean.Load(c),
        [("shapes", "q2.fopru-rows")] = static c => ShapesFoPruRows.Load(c),
        [("shapes", "q2.ficoco-vl")] = static c => ShapesFiCoCoVL.Load(c),
        [("shapes", "q2.similarity-text")] = static c => ShapesSimilarityText.Load(c),
    };

    [Fact]
    public void EveryGoldenCaseHasADeclaredClass()
    {
        string root = RepositoryFolder.Combine("tests", "reference", "goldens", "llava");
        var cases = Directory.EnumerateFiles(root, "*.json", SearchOption.AllDirectories)
            .Select(f => (Path.GetFileName(Path.GetDirectoryName(f))!, Path.GetFileNameWithoutExtension(f)))
            .Where(c => c.Item2 != "inputs")
            .Order();
        Assert.Equal(cases, Models.Keys.Order());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void MatchesThePyTorchReference(string model, string name)
    {
        Goldens goldens = Goldens.Of(model);
        JsonElement expected = goldens.Case(name);
        (int[] prefix, int[] suffix, _) = goldens.Prompt(name);
        (byte[] rgb, int width, int height) = goldens.Image();
        using Checkpoint checkpoint = Checkpoint.Open(goldens.CheckpointFolder);
        using VisionLanguageModel variant = Models[(model, name)](checkpoint);
        int steps = expected.GetProperty("tokens").GetArrayLength();
        using Sequence sequence = variant.CreateSequence(prefix.Length + variant.LoadedPlan.ImagePositions + suffix.Length + steps);
        var pixels = new float[3 * checkpoint.Geometry.Vision.ImageSize * checkpoint.Geometry.Vision.ImageSize];
        variant.Preprocessor.Process(new RgbImage(rgb, width, height), pixels);

        Assert.Equal(StepResult.Ready, variant.Prefill(sequence, prefix, pixels, suffix));

        int ran = 0;
        if (expected.TryGetProperty("kept_before_decoder", out JsonElement before))
        {
            foreach (JsonElement kept in before.EnumerateArray())
            {
                Assert.Equal(Goldens.Ints(kept), sequence.SurvivorsOf(ran++).ToArray());
            }
        }

        if (expected.TryGetProperty("kept", out JsonElement keptInDecoder))
        {
            Assert.Equal(Goldens.Ints(keptInDecoder), sequence.SurvivorsOf(ran).ToArray());
        }

        if (expected.TryGetProperty("survivors", out JsonElement survivors))
        {
            int step = ran;
            foreach (JsonElement tokens in survivors.EnumerateArray())
            {
                Assert.Equal(Goldens.Ints(tokens), sequence.SurvivorsOf(step++).ToArray());
            }

            Assert.Equal(variant.LoadedPlan.Steps.Count(static s => !s.IsExit), step);
        }

        if (expected.TryGetProperty("held", out JsonElement held))
        {
            var tokens = new int[variant.LoadedPlan.Geometry.VisualTokens];
            Assert.Equal(held.GetArrayLength(), sequence.Pass.Map.Count);
            for (int row = 0; row < held.GetArrayLength(); row++)
            {
                Assert.Equal(Goldens.Ints(held[row]), tokens[..sequence.TokensOf(row, tokens)]);
            }
        }

        if (expected.TryGetProperty("exit_layer", out JsonElement exit))
        {
            Assert.Equal(exit.ValueKind == JsonValueKind.Null ? null : exit.GetInt32(), sequence.Statistics.ExitLayer);
        }

        int[] rows = Goldens.Ints(expected.GetProperty("kv_rows"));
        Assert.Equal(rows, Enumerable.Range(0, rows.Length).Select(sequence.Pass.Cache.Length));
        AssertClose(Goldens.Floats(expected.GetProperty("logits")), sequence.Logits);
        int position = 0;
        int skipped = 0;
        int evicted = 0;
        foreach (JsonElement step in expected.GetProperty("step_logits").EnumerateArray())
        {
            Assert.Equal(StepResult.Ready, variant.Decode(sequence, expected.GetProperty("tokens")[position++].GetInt32()));
            AssertClose(Goldens.Floats(step), sequence.Logits);
            if (expected.TryGetProperty("skipped", out JsonElement layers))
            {
                skipped += layers[position - 1].GetArrayLength();
                Assert.Equal(skipped, sequence.Statistics.SkippedFeedForwards);
            }

            if (expected.TryGetProperty("evicted", out JsonElement texts))
            {
                evicted += texts[position - 1].GetArrayLength();
                Assert.Equal(evicted, sequence.Statistics.EvictedTextTokens);
            }
        }

        if (expected.TryGetProperty("kv_texts", out JsonElement left))
        {
            Assert.Equal(left.EnumerateArray().Select(static layer => layer.GetArrayLength()), Enumerable.Range(0, rows.Length).Select(sequence.Pass.Cache.Length));
        }
    }

    private static void AssertClose(float[] expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        float worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            worst = Math.Max(worst, Math.Abs(expected[i] - actual[i]));
        }

        Assert.True(worst <= Tolerance, $"The largest logit difference is {worst}.");
    }
}

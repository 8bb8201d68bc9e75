using Espalier.OnnxRuntime;
using Espalier.Planning;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Batches on WebGPU: each slot against a sequence alone, answers against the CPU's.</summary>
[Collection(WebGpuCollection.Name)]
public sealed class WebGpuBatchTests(WebGpuSessions sessions)
{
    // Rows that are renumbered, cached rows that leave, layers that are skipped by the row; more slots than a shader has buffers.
    [WebGpuTheory]
    [InlineData(typeof(ClipLlamaPyramidTogether), 3)]
    [InlineData(typeof(ClipLlamaSepLlm), 12)]
    [InlineData(typeof(ClipLlamaSepLlmTogether), 2)]
    public void ABatchStepsAsItsSequencesDoAlone(Type variant, int slots)
    {
        const int Steps = 4;
        using TinyModel tiny = sessions.Load(variant);
        using Sequence alone = tiny.CreateSequence();
        using SequenceBatch batch = tiny.Model.CreateBatch(slots, alone.Capacity);
        DeviceMemory memory = alone.Pass.Memory;
        TextGeometry text = tiny.Model.LoadedPlan.Geometry.Text;
        int numberings = tiny.Model.LoadedPlan.NumberingAt(text.Layers - 1) + 1;
        var tokens = new int[slots];
        for (int slot = 0; slot < slots; slot++)
        {
            Prefill(batch[slot], slot);
            Assert.True(memory.Holds(batch[slot].Pass.Cache.TensorsOf(0).Keys));
        }

        var found = new List<float[]>[slots];
        for (int step = 0; step < Steps; step++)
        {
            // The second slot rests at first.
            for (int slot = 0; slot < slots; slot++)
            {
                tokens[slot] = slot == 1 && step == 0 ? -1 : Token(slot, step);
            }

            int evicted = Evicted();
            (long up, long down) = (memory.BytesToDevice, memory.BytesToHost);
            tiny.Model.DecodeTokens(batch, tokens, CancellationToken.None);
            if (step > 1 && tiny.Model.LoadedPlan.Skips is null && Evicted() == evicted)
            {
                int lengths = Enumerable.Range(0, slots).Sum(slot => CacheLengths.BytesOf(batch[slot], text.Layers));
                Assert.Equal((slots * (long)((sizeof(float) * text.Hidden) + (sizeof(long) * numberings))) + lengths, memory.BytesToDevice - up);
                Assert.Equal(slots * (long)sizeof(float) * text.Vocabulary, memory.BytesToHost - down);
            }

            for (int slot = 0; slot < slots; slot++)
            {
                (found[slot] ??= []).Add(batch[slot].Logits.ToArray());
            }
        }

        // The first, the one that rested, and the last.
        foreach (int slot in new HashSet<int> { 0, 1, slots - 1 })
        {
            Prefill(alone, slot);
            for (int step = 0; step < Steps; step++)
            {
                if (slot == 1 && step == 0)
                {
                    continue;
                }

                tiny.Model.Decode(alone, Token(slot, step));
                LogitComparison.AssertClose([alone.Logits.ToArray()], [found[slot][step]], 1e-4f);
            }
        }

        void Prefill(Sequence sequence, int slot) =>
            Assert.Equal(StepResult.Ready, tiny.Model.Prefill(sequence, tiny.Prefix, tiny.Pixels, tiny.Suffix.AsSpan(0, tiny.Suffix.Length - (slot % 3))));

        int Evicted() => Enumerable.Range(0, slots).Sum(slot => batch[slot].Statistics.EvictedTextTokens);

        static int Token(int slot, int step) => step == 1 ? 318 : 7 + (31 * slot % 200) + step;
    }

    [WebGpuFact]
    public async Task ABatchAnswersOnTheDevice()
    {
        using TinyModel tiny = sessions.Load(typeof(ClipLlamaDense));
        using TinyModel host = TinyModel.Of(typeof(ClipLlamaDense), shared: sessions.Tiny);
        using SequenceBatch batch = tiny.Model.CreateBatch(2, 120);
        using Sequence sequence = host.Model.CreateSequence(120);
        string[] questions = ["what color ?", "how many are there ?", "where ?"];
        var options = new AnswerOptions { MaxNewTokens = 3 };
        var answers = new string[questions.Length];
        await foreach (BatchAnswer answer in tiny.Model.AnswerAsync(batch, questions.Select(question => new BatchQuestion(tiny.Image, question)), options))
        {
            Assert.Null(answer.Error);
            answers[answer.Index] = answer.Text;
        }

        for (int i = 0; i < questions.Length; i++)
        {
            string expected = "";
            await foreach (string text in host.Model.AnswerAsync(sequence, host.Image, questions[i], options))
            {
                expected += text;
            }

            Assert.Equal(expected, answers[i]);
        }
    }

    [WebGpuFact]
    public void ABatchOfMoreSlotsThanTheGraphsTakeIsRefused()
    {
        using TinyModel tiny = sessions.Load(typeof(ClipLlamaDense));
        var refusal = Assert.Throws<ArgumentOutOfRangeException>(() => tiny.Model.CreateBatch(VisionLanguageModel.MaximumDeviceBatchSlots + 1, 100));
        Assert.Contains("on a device", refusal.Message, StringComparison.Ordinal);
    }
}

using Espalier.Planning;
using Espalier.Tests.Declared;
using Espalier.Text;

namespace Espalier.Tests;

/// <summary>SepLLM: the rows that are left in the caches are those that the rule says, whatever way text came and went.</summary>
public sealed class SepLlmTests
{
    private const int HeadDim = 8;

    // Tokens of the checkpoint of TinyModel: words, and the separators line feed, space, colon, question mark, full stop and comma.
    private static readonly int[] Words = [7, 21, 40, 105, 166, 204, 265, 300];
    private static readonly int[] Separators = [13, 281, 316, 317, 318, 319];

    [Fact]
    public void WhereNothingLeavesTheBitsAreThoseOfTheDenseModel()
    {
        using var dense = new TinyModel(static c => ClipLlamaDense.Load(c));
        using var other = new TinyModel(static c => ClipLlamaSepLlmNothing.Load(c));
        using Sequence one = dense.CreateSequence();
        using Sequence two = other.CreateSequence();
        Assert.Equal(dense.Run(one, 6), other.Run(two, 6));
        Assert.Equal(0, two.Statistics.EvictedTextTokens);
    }

    [Fact]
    public void TheRowsThatAreLeftAreThoseOfTheRule()
    {
        using var tiny = new TinyModel(static c => ClipLlamaSepLlm.Load(c));
        using var dense = new TinyModel(static c => ClipLlamaDense.Load(c));
        TextEviction rule = tiny.Model.LoadedPlan.Eviction!;
        for (int seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            using Sequence sequence = tiny.CreateSequence(extra: 60);
            using Sequence whole = dense.CreateSequence(extra: 60);
            tiny.Prefill(sequence);
            dense.Prefill(whole);
            var text = new List<int>([.. tiny.Prefix, .. tiny.Suffix]);
            for (int turn = 0; turn < 8; turn++)
            {
                int[] added = [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => random.Next(3) == 0 ? Separators[random.Next(Separators.Length)] : Words[random.Next(Words.Length)])];
                HashSet<int> gone = added.Length > 1 || random.Next(2) == 0 ? Extend(added) : Decode(added[0]);
                int rows = text.Count - gone.Count + 36;
                Assert.All(Enumerable.Range(0, 6), layer => Assert.Equal(rows, sequence.Pass.Cache.Length(layer)));
                Assert.Equal(gone.Count, sequence.Statistics.EvictedTextTokens);

                // In layer 0, a row depends on nothing but its token and its position.
                List<float[]> expected = FirstKeyHead(whole, text.Count + 36);
                List<float[]> actual = FirstKeyHead(sequence, rows);
                var left = Enumerable.Range(0, text.Count).Where(number => !gone.Contains(number)).ToList();
                int before = left.Count(number => number < tiny.Prefix.Length);
                for (int i = 0; i < left.Count; i++)
                {
                    int row = i < before ? i : i + 36;
                    int wholeRow = left[i] < tiny.Prefix.Length ? left[i] : left[i] + 36;
                    AssertClose(expected[wholeRow], actual[row]);
                }

                for (int i = 0; i < 36; i++)
                {
                    AssertClose(expected[tiny.Prefix.Length + i], actual[before + i]);
                }
            }

            Assert.InRange(sequence.Statistics.EvictedTextTokens, 20, text.Count - 10);

            // What has left is that of all tokens but the ones that ran last: those of a step, or of the last piece.
            HashSet<int> Extend(int[] added)
            {
                Assert.Equal(StepResult.Ready, tiny.Model.Extend(sequence, added));
                dense.Model.Extend(whole, added);
                var gone = new HashSet<int>();
                foreach (int token in added)
                {
                    gone = Gone();
                    text.Add(token);
                }

                return gone;
            }

            HashSet<int> Decode(int token)
            {
                Assert.Equal(StepResult.Ready, tiny.Model.Decode(sequence, token));
                dense.Model.Decode(whole, token);
                HashSet<int> gone = Gone();
                text.Add(token);
                return gone;
            }

            // The rule as the page of the method tells it.
            HashSet<int> Gone()
            {
                int last = text.FindLastIndex(token => Separators.Contains(token));
                return [.. Enumerable.Range(0, text.Count).Where(number => number >= rule.Initial && number <= last - rule.Neighbours && !Separators.Contains(text[number]))];
            }
        }
    }

    [Fact]
    public void ThePrefixIsWholeAgainForTheNextPrompt()
    {
        using var tiny = new TinyModel(static c => ClipLlamaSepLlm.Load(c));
        using Sequence sequence = tiny.CreateSequence();
        List<float[]> first = tiny.Run(sequence, 5);
        Assert.True(sequence.Statistics.EvictedTextTokens > 0);
        Assert.False(sequence.Pass.HoldsPrefix);
        Assert.Equal(first, tiny.Run(sequence, 5));

        // Also where another sequence's prefix is the one that the model remembers.
        using Sequence other = tiny.CreateSequence();
        tiny.Model.Prefill(other, [1, 7], tiny.Pixels, tiny.Suffix);
        Assert.Equal(first, tiny.Run(sequence, 5));
    }

    [Fact]
    public void AConversationGoesOnWhereNothingHasLeftSinceItParted()
    {
        using var tiny = new TinyModel(static c => ClipLlamaSepLlm.Load(c));
        using Sequence sequence = tiny.CreateSequence(extra: 60);
        tiny.Prefill(sequence);
        Prompt Saying(params int[] continuation) => new(tiny.Prefix, tiny.Suffix) { Continuation = continuation };
        Assert.True(sequence.Holds(Saying()));
        tiny.Model.Extend(sequence, [7, 21, 40, 105]);

        // The text of the prompt has left, so it cannot be run again; all behind it can.
        Assert.False(sequence.Holds(Saying()));
        Assert.True(sequence.Holds(Saying(9)));
        Assert.True(sequence.Holds(Saying(7, 21, 9)));
        tiny.Model.Extend(sequence, [318, 204]);
        Assert.False(sequence.Holds(Saying(7, 21, 9)));
        Assert.False(sequence.Holds(Saying(7, 21, 40, 105, 9)));
        Assert.True(sequence.Holds(Saying(7, 21, 40, 105, 318, 9)));
        Assert.True(sequence.Holds(Saying(7, 21, 40, 105, 318, 204, 9)));

        // Cut back to behind the separator, other text, and further text that lets more leave: as if it had been said at once.
        sequence.Rewind(tiny.Suffix.Length + 5);
        tiny.Model.Extend(sequence, [166, 319, 204, 300, 21, 281, 7]);
        using Sequence fresh = tiny.CreateSequence(extra: 60);
        tiny.Prefill(fresh);
        tiny.Model.Extend(fresh, [7, 21, 40, 105, 318, 166, 319, 204, 300, 21, 281, 7]);
        AssertClose(fresh.Logits, sequence.Logits);
        Assert.Equal(fresh.Statistics.EvictedTextTokens, sequence.Statistics.EvictedTextTokens);
        Assert.Equal(fresh.Pass.Cache.Length(3), sequence.Pass.Cache.Length(3));
    }

    /// <summary>Separators that were looked at and stayed are no reason to keep the words that come in their place.</summary>
    [Fact]
    public void OtherTextInThePlaceOfSeparatorsIsLookedAtAgain()
    {
        using var tiny = new TinyModel(static c => ClipLlamaSepLlm.Load(c));
        using Sequence sequence = tiny.CreateSequence(extra: 80);
        int[] begun = [7, .. Separators, .. Separators];
        int[] separators = [.. Separators, .. Separators, .. Separators];
        int[] words = [40, 105, 166, 204, 265, 300, 7, 21, 40, 105, 166, 204, 318, .. Separators, 21];
        tiny.Prefill(sequence);
        tiny.Model.Extend(sequence, begun);
        int evicted = sequence.Statistics.EvictedTextTokens;
        Assert.True(evicted > 0);
        tiny.Model.Extend(sequence, separators);
        tiny.Model.Extend(sequence, [7]);

        // Nothing but what was there before has left meanwhile, so the caches can go back to it.
        int back = tiny.Suffix.Length + begun.Length;
        Assert.True(sequence.Pass.FixedTextTokens <= tiny.Prefix.Length + back);
        sequence.Rewind(back);
        tiny.Model.Extend(sequence, words);

        using Sequence fresh = tiny.CreateSequence(extra: 80);
        tiny.Prefill(fresh);
        tiny.Model.Extend(fresh, begun);
        tiny.Model.Extend(fresh, words);
        Assert.True(fresh.Statistics.EvictedTextTokens >= evicted + 12);
        Assert.Equal(fresh.Statistics.EvictedTextTokens, sequence.Statistics.EvictedTextTokens);
        Assert.Equal(fresh.Pass.Cache.Length(3), sequence.Pass.Cache.Length(3));
        AssertClose(fresh.Logits, sequence.Logits);
    }

    [Theory]
    [InlineData("as planned")]
    [InlineData("nothing leaves")]
    [InlineData("twice")]
    [InlineData("behind a layer")]
    [InlineData("others stay")]
    public void AWrongLoopFails(string name)
    {
        using var tiny = new TinyModel(c => new DecodingLoop(c, ClipLlamaSepLlm.Plan, pass =>
        {
            pass.BeginDecode();
            if (name is not ("nothing leaves" or "behind a layer"))
            {
                pass.EvictText(initial: 3, neighbours: name == "others stay" ? 6 : 5);
            }

            if (name == "twice")
            {
                pass.EvictText(initial: 3, neighbours: 5);
            }

            for (int layer = 0; layer < 6; layer++)
            {
                pass.RunDecode(layer);
                if (name == "behind a layer")
                {
                    pass.EvictText(initial: 3, neighbours: 5);
                }
            }

            pass.EndDecode();
        }));
        using Sequence sequence = tiny.CreateSequence();
        Exception? thrown = Record.Exception(() => tiny.Run(sequence, 2));
        Assert.True(name == "as planned" ? thrown is null : thrown is InvalidOperationException, thrown?.ToString());
    }

    /// <summary>The key rows of the first head of layer 0.</summary>
    private static List<float[]> FirstKeyHead(Sequence sequence, int rows)
    {
        var all = new float[sequence.Pass.Cache.FloatsPerRow * rows];
        sequence.Pass.Cache.CopyPrefixTo(all, rows);
        return [.. all.Take(rows * HeadDim).Chunk(HeadDim)];
    }

    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.InRange(actual[i], expected[i] - 1e-4f, expected[i] + 1e-4f);
        }
    }

    private sealed class DecodingLoop(Checkpoint checkpoint, ReductionPlan plan, Action<ForwardPass> decode) : NaiveTwin(checkpoint, plan)
    {
        protected override void DecodeStep(ForwardPass pass) => decode(pass);
    }
}

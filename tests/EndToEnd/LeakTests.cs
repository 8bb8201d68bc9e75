using System.Runtime.CompilerServices;
using Espalier.Tests.Declared;

namespace Espalier.Tests;

/// <summary>Sequences and models that nobody disposes: finalizers let go of everything, in whatever order, while others go on.</summary>
public sealed class LeakTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("espalier-").FullName;

    public LeakTests()
    {
        foreach (string file in Directory.GetFiles(Goldens.Of("clip-llama").CheckpointFolder))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The span of the logits is the last that anybody holds of the sequence, and of its model.</summary>
    [Fact]
    public void LogitsOutliveTheirSequence()
    {
        float[] expected;
        using (var tiny = new TinyModel(static c => ClipLlamaDense.Load(c)))
        using (Sequence sequence = tiny.CreateSequence())
        {
            expected = tiny.Run(sequence, 0)[0];
        }

        for (int round = 0; round < 20; round++)
        {
            ReadOnlySpan<float> logits = Forgotten(Checkpoint.Open(_folder));
            Collect();

            // What was freed is given to others.
            byte[][] others = [.. Enumerable.Range(0, 50).Select(static _ => new byte[1000])];
            using var tiny = new TinyModel(static c => ClipLlamaDense.Load(c));
            GC.KeepAlive(others);
            Assert.Equal(expected, logits);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static ReadOnlySpan<float> Forgotten(Checkpoint checkpoint)
        {
            var tiny = new TinyModel(_ => ClipLlamaDense.Load(checkpoint));
            Sequence sequence = tiny.CreateSequence();
            tiny.Prefill(sequence);
            return sequence.Logits;
        }
    }

    [Theory]
    [InlineData("dense")]
    [InlineData("all")]
    [InlineData("victor")]
    [InlineData("gated")]
    [InlineData("partial")]
    [InlineData("tower")]
    [InlineData("evicting")]
    [InlineData("skipping")]
    public async Task WhatIsForgottenDisturbsNobodyAndIsUnmapped(string variant)
    {
        using var kept = new TinyModel(c => Load(variant, c));
        using Sequence sequence = kept.CreateSequence();
        float[] expected = kept.Run(sequence, 2)[^1];
        using var done = new CancellationTokenSource();
        Task pressure = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Thread.Yield();
            }
        });
        for (int round = 0; round < 10; round++)
        {
            // Models and sequences without their checkpoint, and sequences of a model that goes on.
            Forget(variant, _folder, disposeCheckpoint: round % 2 == 0);
            ForgetSequence(kept);
            Assert.Equal(expected, kept.Run(sequence, 2)[^1]);
        }

        await done.CancelAsync();
        await pressure;
        if (OperatingSystem.IsLinux())
        {
            for (int i = 0; i < 10 && IsMapped(); i++)
            {
                Collect();
            }

            Assert.False(IsMapped(), "The forgotten checkpoint is still mapped.");
        }

        bool IsMapped() => File.ReadAllText("/proc/self/maps").Contains(_folder, StringComparison.Ordinal);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(string variant, string folder, bool disposeCheckpoint)
    {
        Checkpoint checkpoint = Checkpoint.Open(folder);
        VisionLanguageModel model = Load(variant, checkpoint);
        var tiny = new TinyModel(_ => model);
        tiny.Run(tiny.CreateSequence(), 1);
        tiny.CreateSequence();
        tiny.Checkpoint.Dispose();
        if (disposeCheckpoint)
        {
            checkpoint.Dispose();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForgetSequence(TinyModel tiny) => tiny.Run(tiny.CreateSequence(), 1);

    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private static VisionLanguageModel Load(string variant, Checkpoint checkpoint) => variant switch
    {
        "dense" => ClipLlamaDense.Load(checkpoint),
        "victor" => ClipLlamaVictorTogether.Load(checkpoint),
        "gated" => ClipLlamaDyVtePruned.Load(checkpoint),
        "partial" => ClipLlamaYopoTogether.Load(checkpoint),
        "tower" => ClipLlamaTowerAndDecoder.Load(checkpoint),
        "evicting" => ClipLlamaSepLlm.Load(checkpoint),
        "skipping" => ClipLlamaFfnSkipTogether.Load(checkpoint),
        _ => ClipLlamaAll.Load(checkpoint),
    };
}

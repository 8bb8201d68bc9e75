using Espalier.OnnxRuntime;

namespace Espalier.Tests.OnnxRuntime;

public class OrtSessionTests
{
    private static readonly float[] Weight = [1, 2, 3, 4, 5, 6];

    [Fact]
    public void ASessionMultipliesWithTheWeightInTheModel()
    {
        using OrtSession session = Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtValue x = Tensor([1, 2], 1, 10);
        using OrtValue y = Tensor([1, 3]);

        binding.BindInput("x\0"u8, x);
        binding.BindOutput("y\0"u8, y);
        session.Run(binding);

        Assert.Equal([41, 52, 63], y.AsSpan<float>().ToArray());
        Assert.Equal(["x"], session.InputNames);
        Assert.Equal(["y"], session.OutputNames);
        Assert.Equal([1, 3], y.Shape);
    }

    [Fact]
    public void AnAddedInitializerIsUsedInPlaceOfTheModelsOwn()
    {
        using OrtValue w = Tensor([2, 3], 1, 0, 0, 0, 1, 0);
        using OrtSession session = Create(TinyModel.MatMul(2, 3, Weight), options => options.AddInitializer("w", w));

        Assert.Equal([7, 8, 0], Multiply(session, [7, 8], 3));
    }

    [Fact]
    public void AnExternalInitializerNeedsNoFileAndIsNotCopied()
    {
        using OrtValue w = Tensor([2, 3], 1, 0, 0, 0, 1, 0);
        using OrtSession session = Create(
            TinyModel.MatMul(2, 3, null),
            options =>
            {
                options.SetEntry("session.disable_prepacking\0"u8, "1\0"u8);
                options.AddExternalInitializer("w", w);
            });

        Assert.Equal([7, 8, 0], Multiply(session, [7, 8], 3));
        w.AsSpan<float>()[2] = 5; // Row 0, column 2.
        Assert.Equal([7, 8, 35], Multiply(session, [7, 8], 3));
    }

    [Fact]
    public void SeveralExternalInitializersAreAddedOneByOne()
    {
        using OrtValue a = Tensor([2, 2], 0, 1, 1, 0);
        using OrtValue b = Tensor([2, 2], 2, 0, 0, 3);
        byte[] model = new TinyModel()
            .Weight("a", [2, 2], null)
            .Weight("b", [2, 2], null)
            .Node("MatMul", ["x", "a"], ["h"])
            .Node("MatMul", ["h", "b"], ["y"])
            .Input("x", -1, 2)
            .Output("y", -1, 2)
            .Build();
        using OrtSession session = Create(
            model,
            options =>
            {
                options.AddExternalInitializer("a", a);
                options.AddExternalInitializer("b", b);
            });

        Assert.Equal([20, 30], Multiply(session, [10, 10], 2));
        Assert.Equal([4, 3], Multiply(session, [1, 2], 2));
    }

    [Fact]
    public void RebindingChangesTheNumberOfRows()
    {
        using OrtSession session = Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using var input = NativeBuffer.Allocate<float>(8);
        using var output = NativeBuffer.Allocate<float>(12);
        input.AsSpan<float>().Fill(1);

        foreach (int rows in (int[])[4, 1, 3, 2])
        {
            output.AsSpan<float>().Clear();
            Bind(binding, input, output, rows);
            session.Run(binding);

            Assert.Equal(Enumerable.Repeat((float[])[5, 7, 9], rows).SelectMany(r => r), output.Slice<float>(0, rows * 3).ToArray());
            Assert.All(output.Slice<float>(rows * 3, 12 - (rows * 3)).ToArray(), value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public void ABoundValueCanChangeWithoutRebindingAndOutlivesItsRelease()
    {
        using OrtSession session = Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using var input = NativeBuffer.Allocate<float>(2);
        using var output = NativeBuffer.Allocate<float>(3);
        Bind(binding, input, output, rows: 1); // Releases its values.

        input.AsSpan<float>()[0] = 1;
        session.Run(binding);
        Assert.Equal([1, 2, 3], output.AsSpan<float>().ToArray());

        input.AsSpan<float>()[1] = 1;
        session.Run(binding);
        Assert.Equal([5, 7, 9], output.AsSpan<float>().ToArray());
    }

    [Fact]
    public void AnEmptyTensorRuns()
    {
        using OrtSession session = Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtValue x = OrtValue.Allocate([0, 2], OrtElementType.Float);
        using OrtValue y = OrtValue.Allocate([0, 3], OrtElementType.Float);
        binding.BindInput("x\0"u8, x);
        binding.BindOutput("y\0"u8, y);

        session.Run(binding);

        Assert.Equal(0, y.AsSpan<float>().Length);
    }

    [Fact]
    public void RunningAndRebindingAllocateNothingManaged()
    {
        using OrtSession session = Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtRunOptions options = OrtRunOptions.Create();
        using var input = NativeBuffer.Allocate<float>(64);
        using var output = NativeBuffer.Allocate<float>(96);
        Allocation.AssertNone(() => Pass(100), times: 10);

        void Pass(int runs)
        {
            for (int i = 0; i < runs; i++)
            {
                Bind(binding, input, output, rows: 1 + (i % 32));
                session.Run(binding);
                session.Run(binding, options);
                OrtRaw.Run(session.DangerousGetHandle(), options.DangerousGetHandle(), binding.DangerousGetHandle());
                OrtRaw.ClearInputs(binding.DangerousGetHandle());
                binding.ClearOutputs();
            }
        }
    }

    [Fact]
    public async Task TwoThreadsRunOneSessionWithBindingsOfTheirOwn()
    {
        using OrtSession session = Create(TinyModel.MatMul(2, 3, Weight));
        var wrong = new int[2];
        Task[] tasks = [.. Enumerable.Range(0, 2).Select(thread => Task.Factory.StartNew(() => Work(thread), TaskCreationOptions.LongRunning))];
        await Task.WhenAll(tasks);

        Assert.Equal([0, 0], wrong);

        void Work(int thread)
        {
            using OrtBinding binding = OrtBinding.Create(session);
            using OrtValue x = Tensor([1, 2]);
            using OrtValue y = Tensor([1, 3]);
            binding.BindInput("x\0"u8, x);
            binding.BindOutput("y\0"u8, y);
            for (int i = 0; i < 5000; i++)
            {
                x.AsSpan<float>()[thread] = i;
                session.Run(binding);
                if (y.AsSpan<float>()[1] != i * (thread == 0 ? 2 : 5))
                {
                    wrong[thread]++;
                }
            }
        }
    }

    [Fact]
    public void ATerminatedRunIsACancellationAndTheSessionRunsAgain()
    {
        using OrtSession session = Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtRunOptions options = OrtRunOptions.Create();
        using OrtValue x = Tensor([1, 2], 1, 1);
        using OrtValue y = Tensor([1, 3]);
        binding.BindInput("x\0"u8, x);
        binding.BindOutput("y\0"u8, y);

        options.Terminate();
        var e = Assert.Throws<OperationCanceledException>(() => session.Run(binding, options));
        Assert.IsType<OrtException>(e.InnerException);
        Assert.Equal([0, 0, 0], y.AsSpan<float>().ToArray());

        options.Reset();
        session.Run(binding, options);
        Assert.Equal([5, 7, 9], y.AsSpan<float>().ToArray());
    }

    [Fact]
    public void ARunCanBeTerminatedFromAnotherThreadWhileItRuns()
    {
        // Seconds of work: the run cannot end by itself before the flag is set. Not packed, because every node would
        // keep a packed copy of the weight.
        const int Size = 1024;
        const int Nodes = 1000;
        var tiny = new TinyModel().Weight("w", [Size, Size], new float[Size * Size]);
        for (int i = 0; i < Nodes; i++)
        {
            tiny.Node("MatMul", [i == 0 ? "x" : $"h{i - 1}", "w"], [i == Nodes - 1 ? "y" : $"h{i}"]);
        }

        using OrtSession session = Create(
            tiny.Input("x", -1, Size).Output("y", -1, Size).Build(),
            options => options.SetEntry("session.disable_prepacking\0"u8, "1\0"u8));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtRunOptions options = OrtRunOptions.Create();
        using OrtValue x = OrtValue.Allocate([Size, Size], OrtElementType.Float);
        using OrtValue y = OrtValue.Allocate([Size, Size], OrtElementType.Float);
        binding.BindInput("x\0"u8, x);
        binding.BindOutput("y\0"u8, y);

        using var timer = new Timer(_ => options.Terminate(), null, TimeSpan.FromMilliseconds(50), Timeout.InfiniteTimeSpan);
        Assert.Throws<OperationCanceledException>(() => session.Run(binding, options));
    }

    private static void Bind(OrtBinding binding, NativeBuffer input, NativeBuffer output, int rows)
    {
        nint x = OrtRaw.CreateTensor(input.Pointer, input.ByteLength, [rows, 2], OrtElementType.Float);
        nint y = OrtRaw.CreateTensor(output.Pointer, output.ByteLength, [rows, 3], OrtElementType.Float);
        binding.BindInput("x\0"u8, x);
        binding.BindOutput("y\0"u8, y);
        OrtRaw.ReleaseValue(x);
        OrtRaw.ReleaseValue(y);
    }

    internal static OrtSession Create(byte[] model, Action<OrtSessionOptions>? configure = null, PrepackedWeights? prepacked = null)
    {
        using OrtSessionOptions options = OrtSessionOptions.Create();
        configure?.Invoke(options);
        return OrtSession.Create(model, options, prepacked);
    }

    internal static OrtValue Tensor(long[] shape, params float[] values)
    {
        OrtValue value = OrtValue.Allocate(shape, OrtElementType.Float);
        values.CopyTo(value.AsSpan<float>());
        return value;
    }

    internal static float[] Multiply(OrtSession session, float[] row, int outputs)
    {
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtValue x = Tensor([1, row.Length], row);
        using OrtValue y = Tensor([1, outputs]);
        binding.BindInput("x\0"u8, x);
        binding.BindOutput("y\0"u8, y);
        session.Run(binding);
        return y.AsSpan<float>().ToArray();
    }
}

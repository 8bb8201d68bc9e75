using System.Runtime.InteropServices;
using Espalier.Graphs.Lowering;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.OnnxRuntime;

public partial class OrtFailureTests
{
    private static readonly float[] Weight = [1, 2, 3, 4, 5, 6];

    [Fact]
    public void BytesThatAreNoModelAreRefused()
    {
        byte[] model = TinyModel.MatMul(2, 3, Weight);
        byte[] noise = [.. Enumerable.Range(0, 200).Select(i => (byte)(i * 37))];

        Assert.Equal(OrtErrorCode.InvalidProtobuf, Assert.Throws<OrtException>(() => OrtSessionTests.Create(noise)).Code);
        Assert.Throws<OrtException>(() => OrtSessionTests.Create(model[..^20]));
        Assert.Throws<OrtException>(() => OrtSessionTests.Create([]));
    }

    [Fact]
    public void AnOperatorThatDoesNotExistIsNamed()
    {
        byte[] model = new TinyModel().Node("Mutmul", ["x", "x"], ["y"]).Input("x", 2, 2).Output("y", 2, 2).Build();

        var e = Assert.Throws<OrtException>(() => OrtSessionTests.Create(model));

        Assert.Contains("Mutmul", e.NativeMessage, StringComparison.Ordinal);
        Assert.Equal("create the session", e.Operation);
        Assert.Contains(e.NativeMessage, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnExternalWeightThatNobodyAddsIsRefused()
    {
        var e = Assert.Throws<OrtException>(() => OrtSessionTests.Create(TinyModel.MatMul(2, 3, null)));

        Assert.Contains("no-such-file.bin", e.NativeMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void AWeightOfAnotherShapeIsRefused()
    {
        using OrtValue w = OrtSessionTests.Tensor([3, 3], 1, 2, 3, 4, 5, 6, 7, 8, 9);

        Assert.Throws<OrtException>(() => OrtSessionTests.Create(TinyModel.MatMul(2, 3, null), options => options.AddExternalInitializer("w", w)));
    }

    [Fact]
    public void AWeightAddedTwiceIsRefused()
    {
        using OrtValue w = OrtSessionTests.Tensor([2, 3], Weight);
        using OrtSessionOptions options = OrtSessionOptions.Create();
        options.AddInitializer("w", w);

        Assert.Throws<OrtException>(() => options.AddInitializer("w", w));
    }

    [Theory]
    [InlineData(3)] // The input's width.
    [InlineData(2)] // The output's rows.
    public void AShapeThatDoesNotFitFailsTheRunAndNotTheProcess(int width)
    {
        using OrtSession session = OrtSessionTests.Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtValue x = OrtValue.Allocate([1, width], OrtElementType.Float);
        using OrtValue y = OrtValue.Allocate([width - 1, 3], OrtElementType.Float);
        using OrtValue tooSmall = OrtValue.Allocate([1, 2], OrtElementType.Float);
        binding.BindInput("x\0"u8, x);
        binding.BindOutput("y\0"u8, width == 3 ? y : tooSmall);

        Assert.Equal(OrtErrorCode.InvalidArgument, Assert.Throws<OrtException>(() => session.Run(binding)).Code);
        Assert.Equal([1, 2, 3], OrtSessionTests.Multiply(session, [1, 0], 3));
    }

    [Fact]
    public void AnElementTypeThatDoesNotFitFailsTheRun()
    {
        using OrtSession session = OrtSessionTests.Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtValue x = OrtValue.Allocate([1, 2], OrtElementType.Int64);
        using OrtValue y = OrtValue.Allocate([1, 3], OrtElementType.Float);
        binding.BindInput("x\0"u8, x);
        binding.BindOutput("y\0"u8, y);

        Assert.Equal(OrtErrorCode.InvalidArgument, Assert.Throws<OrtException>(() => session.Run(binding)).Code);
    }

    [Fact]
    public void AMissingInputFailsTheRun()
    {
        using OrtSession session = OrtSessionTests.Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtValue y = OrtValue.Allocate([1, 3], OrtElementType.Float);
        binding.BindOutput("y\0"u8, y);

        Assert.Throws<OrtException>(() => session.Run(binding));
    }

    [Fact]
    public void ANameThatTheGraphLacksIsRefused()
    {
        using OrtSession session = OrtSessionTests.Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtValue x = OrtValue.Allocate([1, 2], OrtElementType.Float);

        Assert.Throws<OrtException>(() => binding.BindInput("z\0"u8, x));
    }

    [Fact]
    public void ANameWithoutItsZeroIsRefusedBeforeNativeCodeReadsOn()
    {
        using OrtSession session = OrtSessionTests.Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(session);
        using OrtValue x = OrtValue.Allocate([1, 2], OrtElementType.Float);
        using OrtSessionOptions options = OrtSessionOptions.Create();

        Assert.Throws<ArgumentException>(() => binding.BindInput("x"u8, x));
        Assert.Throws<ArgumentException>(() => binding.BindOutput(""u8, x));
        Assert.Throws<ArgumentException>(() => options.SetEntry("session.disable_prepacking"u8, "1\0"u8));
    }

    [Fact]
    public void ABindingOfAnotherSessionIsRefused()
    {
        using OrtSession one = OrtSessionTests.Create(TinyModel.MatMul(2, 3, Weight));
        using OrtSession other = OrtSessionTests.Create(TinyModel.MatMul(2, 3, Weight));
        using OrtBinding binding = OrtBinding.Create(one);

        Assert.Throws<ArgumentException>(() => other.Run(binding));
    }

    [Fact]
    public void MemoryThatIsSmallerThanTheShapeIsRefused()
    {
        using var buffer = NativeBuffer.Allocate(23);

        Assert.Throws<ArgumentException>(() => OrtValue.Over(buffer, [2, 3], OrtElementType.Float));
        Assert.Throws<OrtException>(() => OrtRaw.CreateTensor(buffer.Pointer, buffer.ByteLength, [2, 3], OrtElementType.Float));
        Assert.Throws<ArgumentOutOfRangeException>(() => OrtValue.Allocate([2, -3], OrtElementType.Float));
        Assert.Throws<OverflowException>(() => OrtValue.Allocate([long.MaxValue, 8], OrtElementType.Float));
        Assert.Throws<OrtException>(() => OrtRaw.CreateTensor(buffer.Pointer, buffer.ByteLength, [-1, 3], OrtElementType.Float));
    }

    [Fact]
    public void ABufferIsAlignedZeroedAndGuardsItsEnds()
    {
        using var buffer = NativeBuffer.Allocate<int>(5);
        Assert.Equal(0, buffer.Pointer % NativeBuffer.Alignment);
        Assert.Equal([0, 0, 0, 0, 0], buffer.AsSpan<int>().ToArray());

        buffer.AsSpan<int>()[4] = 9;
        Assert.Equal([0, 9], buffer.Slice<int>(3, 2).ToArray());
        Assert.Equal(0, buffer.Slice<int>(5, 0).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Slice<int>(4, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Slice<int>(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Slice<int>(6, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Slice<int>(0, -1));
        Assert.Throws<OverflowException>(() => NativeBuffer.Allocate<long>(long.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => NativeBuffer.Allocate<long>(-1));

        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.AsSpan<int>());
    }

    [WithoutCudaFact]
    public void CudaWithoutItsProviderLibraryIsATypedErrorWithTheFix()
    {
        var e = Assert.Throws<ExecutionProviderNotAvailableException>(() => OrtSessionOptions.Create(new CudaExecutionProvider(), capturesRuns: true));

        Assert.Equal("CUDAExecutionProvider", e.Provider);
        Assert.Contains(OnnxRuntimeLibrary.Path, e.Message, StringComparison.Ordinal);
        Assert.Contains("-p:OnnxRuntime=Gpu", e.Message, StringComparison.Ordinal);
        Assert.NotEmpty(Assert.IsType<OrtException>(e.InnerException).NativeMessage);
    }

    [LinuxFact]
    public void WebGpuWithoutADriverIsATypedErrorWithTheFix()
    {
        // The Vulkan loader, if there is one, finds this driver and no other: the answer is the real library's.
        Assert.Equal(0, SetEnvironment("VK_DRIVER_FILES", "/nowhere/driver.json", 1));
        var e = Assert.Throws<ExecutionProviderNotAvailableException>(() => MemoryProbe.Open(WebGpuExecutionProvider.Instance));

        Assert.Equal("WebGpuExecutionProvider", e.Provider);
        Assert.Contains("libvulkan1", e.Message, StringComparison.Ordinal);
        Assert.Contains("VK_DRIVER_FILES", e.Message, StringComparison.Ordinal);
        Assert.Contains("Device.Cpu", e.Message, StringComparison.Ordinal);
        Assert.Contains("adapter", Assert.IsType<OrtException>(e.InnerException).NativeMessage, StringComparison.Ordinal);

        // What was found says the same, and the CPU is always there.
        IReadOnlyList<DeviceFinding> found = DeviceFinding.All();
        Assert.Equal([Device.Cpu, Device.WebGpu, Device.Cuda], found.Select(static finding => finding.Device));
        Assert.True(found[0].IsUsable);
        Assert.False(found[1].IsUsable);
        Assert.Contains("libvulkan1", found[1].Description, StringComparison.Ordinal);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}

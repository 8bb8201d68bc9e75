using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.Quantisation;

/// <summary>Which formats a precision stands for, and what happens where a processor or device cannot run them.</summary>
public sealed class PrecisionFormatsTests
{
    [Fact]
    public void EachPrecisionStandsForFormats()
    {
        Assert.Equal(new PrecisionFormats(LinearFormat.Float32, LinearFormat.Float32, LinearFormat.Float32), Choose(Precision.Float32));
        Assert.Equal(new PrecisionFormats(Int8PerToken.Signed, Int8PerToken.Signed, Int8PerToken.Signed), Choose(Precision.Int8));
        Assert.Equal(new PrecisionFormats(Int4Blocks.Instance, Int4Blocks.Instance, Int8PerToken.Signed), Choose(Precision.Int4));
        Assert.Equal(new PrecisionFormats(Int8PerToken.Signed, Int4Blocks.Instance, Int8PerToken.Signed), Choose(Precision.Int8PrefillInt4Decode));

        static PrecisionFormats Choose(Precision precision) => PrecisionFormats.For(precision, CpuExecutionProvider.Instance, static _ => true);
    }

    [Theory]
    [InlineData(Precision.Int8)]
    [InlineData(Precision.Int4)]
    [InlineData(Precision.Int8PrefillInt4Decode)]
    public void AProcessorWhoseProductsSaturateGetsUnsignedWeights(Precision precision)
    {
        PrecisionFormats formats = PrecisionFormats.For(precision, CpuExecutionProvider.Instance, static format => format != Int8PerToken.Signed);
        Assert.Same(Int8PerToken.Unsigned, formats.Vision);
        Assert.Same(precision == Precision.Int4 ? Int4Blocks.Instance : Int8PerToken.Unsigned, formats.Decoder);
    }

    [Fact]
    public void AProcessorThatComputesSomethingElseIsRefused()
    {
        Assert.Equal(LinearFormat.Float32, PrecisionFormats.For(Precision.Float32, CpuExecutionProvider.Instance, static _ => false).Decoder);
        foreach (Precision precision in (Precision[])[Precision.Int8, Precision.Int4, Precision.Int8PrefillInt4Decode])
        {
            var error = Assert.Throws<PrecisionNotSupportedException>(() => PrecisionFormats.For(precision, CpuExecutionProvider.Instance, static _ => false));
            Assert.Equal(precision, error.Precision);
            Assert.Equal("CPUExecutionProvider", error.Device);
            Assert.Contains("Precision.Float32", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<PrecisionNotSupportedException>(() => PrecisionFormats.For(Precision.Int4, CpuExecutionProvider.Instance, static format => format != Int4Blocks.Instance));
    }

    [Fact]
    public void ALibraryWithoutTheKernelIsRefused()
    {
        var error = Assert.Throws<PrecisionNotSupportedException>(() => PrecisionFormats.For(
            Precision.Int8,
            CpuExecutionProvider.Instance,
            static _ => throw new OrtException(OrtErrorCode.NotImplemented, "no kernel", "create the session")));
        Assert.IsType<OrtException>(error.InnerException);
    }

    [Theory]
    [InlineData(Precision.Int8)]
    [InlineData(Precision.Int4)]
    [InlineData(Precision.Int8PrefillInt4Decode)]
    public void IntegersRunOnTheProcessorOnly(Precision precision)
    {
        var cuda = new CudaExecutionProvider();
        var error = Assert.Throws<PrecisionNotSupportedException>(() => PrecisionFormats.For(precision, cuda));
        Assert.Equal(cuda.Name, error.Device);
        Assert.Contains("Device.Cpu", error.Message, StringComparison.Ordinal);
        Assert.Contains("single precision", Assert.Throws<PrecisionNotSupportedException>(() => PrecisionFormats.For(Precision.Float32, cuda)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AWebGpuDeviceTakesFourBitsWhereItMultipliesThemRightly()
    {
        WebGpuExecutionProvider device = WebGpuExecutionProvider.Instance;
        Assert.Equal(new PrecisionFormats(Int4Blocks.Instance, Int4Blocks.Instance, LinearFormat.Float32), PrecisionFormats.For(Precision.Int4, device, static format => format == Int4Blocks.Instance));
        var wrong = Assert.Throws<PrecisionNotSupportedException>(() => PrecisionFormats.For(Precision.Int4, device, static _ => false));
        Assert.Contains("wrong products", wrong.Message, StringComparison.Ordinal);
        foreach (Precision precision in (Precision[])[Precision.Int8, Precision.Int8PrefillInt4Decode])
        {
            Assert.Contains("only Precision.Int4", Assert.Throws<PrecisionNotSupportedException>(() => PrecisionFormats.For(precision, device, static _ => true)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void HalfPrecisionIsATypeOfRowsThatADeviceHasOrHasNot()
    {
        var cuda = new CudaExecutionProvider();
        Assert.Equal(OrtElementType.Float16, PrecisionFormats.For(Precision.Float16, cuda).Rows);
        Assert.Equal(OrtElementType.BFloat16, PrecisionFormats.For(Precision.BFloat16, cuda).Rows);
        Assert.Equal(OrtElementType.Float16, PrecisionFormats.For(Precision.Float16, CpuExecutionProvider.Instance).Rows);
        Assert.Contains("Precision.Float16", Assert.Throws<PrecisionNotSupportedException>(() => PrecisionFormats.For(Precision.BFloat16, CpuExecutionProvider.Instance)).Message, StringComparison.Ordinal);
        foreach (Precision half in (Precision[])[Precision.Float16, Precision.BFloat16])
        {
            Assert.Contains("Precision.Float32", Assert.Throws<PrecisionNotSupportedException>(() => PrecisionFormats.For(half, WebGpuExecutionProvider.Instance)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void WhatIsNoPrecisionIsAProgrammingError() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => PrecisionFormats.For((Precision)17, CpuExecutionProvider.Instance));

    [Fact]
    public void TheProbeAsksTheRealKernels()
    {
        // Unsigned weights and blocks are right on every processor; signed ones where the dot product does not saturate.
        Assert.True(FormatProbe.IsExact(Int8PerToken.Unsigned));
        Assert.True(FormatProbe.IsExact(Int4Blocks.Instance));
        Assert.Equal(FormatProbe.IsExact(Int8PerToken.Signed) ? Int8PerToken.Signed : Int8PerToken.Unsigned, PrecisionFormats.For(Precision.Int8, CpuExecutionProvider.Instance).Decoder);
    }
}

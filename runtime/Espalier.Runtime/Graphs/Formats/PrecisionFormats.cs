using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Formats;

/// <summary>The formats of a model's linear layers.</summary>
/// <remarks>
/// The vision tower takes int8 at either integer precision. Measured on two layers of CLIP-L/14-336 and SigLIP-so400m (577 and 729 rows), int8 takes
/// 0.45 and 0.48 of the time of single precision at an error of 0.9 %, int4 0.69 and 0.73 at 7 %: a tower multiplies hundreds of rows, and never one.
/// </remarks>
/// <param name="Decoder">The decoder's layers, where they run the rows of a prompt.</param>
/// <param name="Decode">The decoder's layers and the head, where they run one row.</param>
/// <param name="Vision">The vision tower and the projector.</param>
internal sealed record PrecisionFormats(LinearFormat Decoder, LinearFormat Decode, LinearFormat Vision)
{
    /// <summary>The type of rows and of the KV cache. Where it has 16 bits, graphs are written in single precision and lowered: see <see cref="Lowering.HalfLowering"/>.</summary>
    public OrtElementType Rows { get; init; } = OrtElementType.Float;

    /// <summary>The formats that stand for a precision on the CPU, or on a device that has no integers.</summary>
    /// <exception cref="PrecisionNotSupportedException">The device has no kernel for it, or one that computes something else.</exception>
    public static PrecisionFormats For(Precision precision, ExecutionProvider provider) => For(precision, provider, FormatProbe.IsExact);

    /// <summary>The formats that stand for a precision on any device.</summary>
    /// <param name="precision">The precision.</param>
    /// <param name="provider">The device.</param>
    /// <param name="isExact">Asks it whether its products of a format are right.</param>
    /// <exception cref="PrecisionNotSupportedException">The device has no kernel for it, or one that computes something else.</exception>
    public static PrecisionFormats For(Precision precision, ExecutionProvider provider, Func<QuantisedFormat, bool> isExact)
    {
        if (!Enum.IsDefined(precision))
        {
            throw new ArgumentOutOfRangeException(nameof(precision), precision, "There is no such precision.");
        }

        if (precision is Precision.Float32 or Precision.Float16 or Precision.BFloat16)
        {
            OrtElementType rows = precision switch
            {
                Precision.Float32 => OrtElementType.Float,
                Precision.Float16 => OrtElementType.Float16,
                _ => OrtElementType.BFloat16,
            };
            return provider.WhyNot(rows) is { } reason
                ? throw new PrecisionNotSupportedException(precision, provider.Name, reason)
                : new PrecisionFormats(LinearFormat.Float32, LinearFormat.Float32, LinearFormat.Float32) { Rows = rows };
        }

        if (provider is not CpuExecutionProvider && !(precision == Precision.Int4 && provider.HasFourBitProducts))
        {
            throw new PrecisionNotSupportedException(precision, provider.Name, $"integer weights run on the CPU{(provider.HasFourBitProducts ? "; on this device only Precision.Int4" : " only")}. Choose a precision of the device, or Device.Cpu.");
        }

        try
        {
            if (provider is not CpuExecutionProvider)
            {
                // What the tower takes elsewhere, eight bits, has no kernel here.
                QuantisedFormat blocks = Require(Int4Blocks.Instance);
                return new PrecisionFormats(blocks, blocks, LinearFormat.Float32);
            }

            QuantisedFormat vision = isExact(Int8PerToken.Signed) ? Int8PerToken.Signed : Require(Int8PerToken.Unsigned);
            QuantisedFormat decode = precision == Precision.Int8 ? vision : Require(Int4Blocks.Instance);
            return new PrecisionFormats(precision == Precision.Int4 ? decode : vision, decode, vision);
        }
        catch (OrtException exception)
        {
            throw new PrecisionNotSupportedException(precision, provider.Name, "this ONNX Runtime has no kernel for it. Choose Precision.Float32, or a library of version 1.30 or later with all contributed operators.", exception);
        }

        QuantisedFormat Require(QuantisedFormat format) => isExact(format)
            ? format
            : throw new PrecisionNotSupportedException(precision, provider.Name, "the kernel of this processor gives wrong products of integers. Choose Precision.Float32.");
    }
}

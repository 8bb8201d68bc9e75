using System.Numerics.Tensors;
using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Formats;

/// <summary>Asks the processor, or a device, whether its kernel multiplies the integers of a format rightly.</summary>
/// <remarks>
/// Not every one does: AVX2 without VNNI adds two products of an unsigned and a signed byte in 16 bits, which saturates at 32,767 where 64,770 is due,
/// without a word. So a small product of the largest values is computed, once a process and format: 2 ms. A device gets numbers of all sizes, since its kernels differ by the rows, the widths and what the hardware has.
/// </remarks>
internal static class FormatProbe
{
    private const int Inputs = 256;
    private const int Outputs = 64;
    private const string Weight = "probe";

    private static readonly Lazy<bool> Signed = new(static () => Try(Int8PerToken.Signed));
    private static readonly Lazy<bool> Unsigned = new(static () => Try(Int8PerToken.Unsigned));
    private static readonly Lazy<bool> Blocks = new(static () => Try(Int4Blocks.Instance));

    /// <summary>True if the products are right.</summary>
    /// <exception cref="OrtException">The library has no such kernel.</exception>
    public static bool IsExact(QuantisedFormat format) => (format == Int8PerToken.Signed ? Signed : format == Int8PerToken.Unsigned ? Unsigned : Blocks).Value;

    /// <summary>True if the products of four-bit weights are right on a device, whether or not it turns the rows into eight bits first: for one row, a few and many, and for an input that ends in a part of a block.</summary>
    /// <exception cref="OrtException">The provider has no such kernel, or it fails.</exception>
    public static bool IsExact(Int4Blocks format, ExecutionProvider provider, DeviceMemory memory)
    {
        foreach (int inputs in (ReadOnlySpan<int>)[Inputs, Inputs - (Int4Blocks.BlockLength / 4)])
        {
            foreach (int rows in (ReadOnlySpan<int>)[1, 8, 40])
            {
                if (!Multiplies(format, provider, memory, rows, inputs))
                {
                    return false;
                }
            }
        }

        return true;
    }

    // Whole numbers, up to 127 in every stretch of a row: what eight bits hold without a rest. The weights are whole numbers of a scale of one.
    private static bool Multiplies(Int4Blocks format, ExecutionProvider provider, DeviceMemory memory, int rows, int inputs)
    {
        var weights = new float[Outputs * inputs];
        for (int i = 0; i < weights.Length; i++)
        {
            // The first of each block has the largest magnitude, and so the scale is one.
            int column = i % inputs;
            weights[i] = column % Int4Blocks.BlockLength == 0 ? -8 : (7 * i % 15) - 7;
        }

        using OrtValue integers = Allocate(format.Integers(Weight, inputs, Outputs));
        using OrtValue scales = Allocate(format.Scales(Weight, inputs, Outputs));
        format.Quantise([.. weights], 0, Outputs, Outputs, integers.AsSpan<byte>(), scales.AsSpan<float>());
        using OrtValue integersThere = Uploaded(memory, integers, format.Integers(Weight, inputs, Outputs));
        using OrtValue scalesThere = Uploaded(memory, scales, format.Scales(Weight, inputs, Outputs));

        using OrtSessionOptions options = OrtSessionOptions.Create(provider);
        options.AddExternalInitializer(format.Integers(Weight, inputs, Outputs).Name, integersThere, integers);
        options.AddExternalInitializer(format.Scales(Weight, inputs, Outputs).Name, scalesThere, scales);
        using OrtSession session = OrtSession.Create(Graph(format, inputs).Bytes, options);
        using var x = new DeviceTensor(memory, [1, rows, inputs]);
        using var y = new DeviceTensor(memory, [1, rows, Outputs]);
        Span<float> values = x.Span<float>();
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = i % 16 == 0 ? 127 : (11 * i % 255) - 127;
        }

        x.Upload();
        using OrtBinding binding = OrtBinding.Create(session);
        binding.BindInput("x\0"u8, x.Value);
        binding.BindOutput("y\0"u8, y.Value);
        session.Run(binding);
        y.MarkWritten();
        ReadOnlySpan<float> found = y.Read<float>();
        for (int row = 0; row < rows; row++)
        {
            for (int output = 0; output < Outputs; output++)
            {
                float sum = TensorPrimitives.Dot(values.Slice(row * inputs, inputs), weights.AsSpan(output * inputs, inputs));
                if (!(MathF.Abs(found[(row * Outputs) + output] - sum) < 1))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static OrtValue Uploaded(DeviceMemory memory, OrtValue value, WeightUse use)
    {
        using DeviceBuffer buffer = memory.Allocate((nuint)use.ByteCount);
        memory.Upload(value.DataPointer, buffer, (nuint)use.ByteCount);
        return OrtValue.Over(memory, buffer, use.Shape, use.Type);
    }

    private static GraphModel Graph(QuantisedFormat format, int inputs)
    {
        var graph = new GraphBuilder(Weight);
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", inputs);
        graph.Output(GraphNames.Y, format.Linear(graph, "product", x, Weight, bias: null, inputs, Outputs), OrtElementType.Float, 1, "n", Outputs);
        return graph.Build();
    }

    /// <summary>One row takes another kernel than several.</summary>
    private static bool Try(QuantisedFormat format) => Try(format, 1) && Try(format, 8);

    private static bool Try(QuantisedFormat format, int rows)
    {
        using OrtValue integers = Allocate(format.Integers(Weight, Inputs, Outputs));
        using OrtValue scales = Allocate(format.Scales(Weight, Inputs, Outputs));
        float[] weights = new float[Inputs * Outputs];
        Array.Fill(weights, 1);
        format.Quantise(weights, 0, Outputs, Outputs, integers.AsSpan<byte>(), scales.AsSpan<float>());

        using OrtSessionOptions options = OrtSessionOptions.Create();
        options.AddExternalInitializer(format.Integers(Weight, Inputs, Outputs).Name, integers);
        options.AddExternalInitializer(format.Scales(Weight, Inputs, Outputs).Name, scales);
        using OrtSession session = OrtSession.Create(Graph(format, Inputs).Bytes, options);
        using OrtValue input = OrtValue.Allocate([1, rows, Inputs], OrtElementType.Float);
        using OrtValue output = OrtValue.Allocate([1, rows, Outputs], OrtElementType.Float);
        input.AsSpan<float>().Fill(1);
        using OrtBinding binding = OrtBinding.Create(session);
        binding.BindInput("x\0"u8, input);
        binding.BindOutput("y\0"u8, output);
        session.Run(binding);

        // All ones: every product is the largest there is, and every sum is the number of inputs.
        foreach (float sum in output.AsSpan<float>())
        {
            if (!(MathF.Abs(sum - Inputs) < 0.01f * Inputs))
            {
                return false;
            }
        }

        return true;
    }

    private static OrtValue Allocate(WeightUse use) => OrtValue.Allocate(use.Shape, use.Type);
}

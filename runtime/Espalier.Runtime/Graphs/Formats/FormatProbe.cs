using Espalier.OnnxRuntime;

namespace Espalier.Graphs.Formats;

/// <summary>Asks the processor whether its kernel multiplies the largest integers of a format rightly.</summary>
/// <remarks>
/// Not every one does: AVX2 without VNNI adds two products of an unsigned and a signed byte in 16 bits, which saturates at 32,767 where 64,770 is due,
/// without a word. So a small product of the largest values is computed, once a process and format: 2 ms.
/// </remarks>
internal static class FormatProbe
{
    private const int Inputs = 256;
    private const int Outputs = 64;

    private static readonly Lazy<bool> Signed = new(static () => Try(Int8PerToken.Signed));
    private static readonly Lazy<bool> Unsigned = new(static () => Try(Int8PerToken.Unsigned));
    private static readonly Lazy<bool> Blocks = new(static () => Try(Int4Blocks.Instance));

    /// <summary>True if the products are right.</summary>
    /// <exception cref="OrtException">The library has no such kernel.</exception>
    public static bool IsExact(QuantisedFormat format) => (format == Int8PerToken.Signed ? Signed : format == Int8PerToken.Unsigned ? Unsigned : Blocks).Value;

    /// <summary>One row takes another kernel than several.</summary>
    private static bool Try(QuantisedFormat format) => Try(format, 1) && Try(format, 8);

    private static bool Try(QuantisedFormat format, int rows)
    {
        const string Weight = "probe";
        var graph = new GraphBuilder(Weight);
        string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", Inputs);
        graph.Output(GraphNames.Y, format.Linear(graph, "product", x, Weight, bias: null, Inputs, Outputs), OrtElementType.Float, 1, "n", Outputs);
        GraphModel model = graph.Build();

        using OrtValue integers = Allocate(format.Integers(Weight, Inputs, Outputs));
        using OrtValue scales = Allocate(format.Scales(Weight, Inputs, Outputs));
        float[] weights = new float[Inputs * Outputs];
        Array.Fill(weights, 1);
        format.Quantise(weights, 0, Outputs, Outputs, integers.AsSpan<byte>(), scales.AsSpan<float>());

        using OrtSessionOptions options = OrtSessionOptions.Create();
        options.AddExternalInitializer(format.Integers(Weight, Inputs, Outputs).Name, integers);
        options.AddExternalInitializer(format.Scales(Weight, Inputs, Outputs).Name, scales);
        using OrtSession session = OrtSession.Create(model.Bytes, options);
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

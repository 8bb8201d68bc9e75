using System.Runtime.InteropServices;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;

namespace Espalier.Tests.Graphs.Formats;

/// <summary>A weight as a format stores it, and linear layers over it on the real library.</summary>
internal sealed class QuantisedLinear
{
    private readonly QuantisedFormat _format;
    private readonly float[]? _bias;

    public QuantisedLinear(QuantisedFormat format, float[] weights, int inputs, float[]? bias = null)
    {
        _format = format;
        _bias = bias;
        Inputs = inputs;
        Outputs = weights.Length / inputs;
        Integers = new byte[format.Integers("w", inputs, Outputs).ByteCount];
        Scales = new float[format.Scales("w", inputs, Outputs).ByteCount / sizeof(float)];
        for (int first = 0; first < Outputs; first += QuantisedFormat.TileOutputs)
        {
            int count = Math.Min(QuantisedFormat.TileOutputs, Outputs - first);
            float[] tile = weights.AsSpan(first * inputs, count * inputs).ToArray();
            Assert.True(format.Quantise(tile, first, count, Outputs, Integers, Scales));
        }
    }

    public int Inputs { get; }

    public int Outputs { get; }

    public byte[] Integers { get; }

    public float[] Scales { get; }

    /// <summary>Runs the layer; the same input goes through two layers of the same weight, which must agree.</summary>
    public float[] Run(float[] x)
    {
        int rows = x.Length / Inputs;
        var graph = new GraphBuilder("linear");
        string input = graph.Input("x", OrtElementType.Float, 1, "n", Inputs);
        graph.Output("first", _format.Linear(graph, "a", input, "w", _bias is null ? null : "b", Inputs, Outputs), OrtElementType.Float, 1, "n", Outputs);
        graph.Output("second", _format.Linear(graph, "b.again", input, "w", _bias is null ? null : "b", Inputs, Outputs), OrtElementType.Float, 1, "n", Outputs);
        GraphModel model = graph.Build();

        using var options = OrtSessionOptions.Create();
        var weights = new List<OrtValue>();
        foreach (WeightUse use in model.Weights)
        {
            OrtValue value = OrtValue.Allocate(use.Shape, use.Type);
            (use.Name == "b" ? MemoryMarshal.AsBytes<float>(_bias) : use.Name.EndsWith(".scale", StringComparison.Ordinal) ? MemoryMarshal.AsBytes<float>(Scales) : Integers).CopyTo(value.AsSpan<byte>());
            options.AddExternalInitializer(use.Name, value);
            weights.Add(value);
        }

        using OrtSession session = OrtSession.Create(model.Bytes, options);
        using var tensor = NativeTensor.Of(x, 1, rows, Inputs);
        using var first = NativeTensor.Empty(1, rows, Outputs);
        using var second = NativeTensor.Empty(1, rows, Outputs);
        using (OrtBinding binding = OrtBinding.Create(session))
        {
            binding.BindInput("x\0"u8, tensor.Value);
            binding.BindOutput("first\0"u8, first.Value);
            binding.BindOutput("second\0"u8, second.Value);
            session.Run(binding);
        }

        weights.ForEach(static value => value.Dispose());
        Assert.Equal(first.Floats, second.Floats);
        return first.Floats.ToArray();
    }

    /// <summary>The product in doubles of what was not quantised.</summary>
    public static double[] Exact(float[] x, float[] weights, int inputs)
    {
        int outputs = weights.Length / inputs;
        return [.. x.Chunk(inputs).SelectMany(row => Reference.Linear(Reference.ToDoubles(row), weights, outputs))];
    }

    public static float[] Gaussian(Random random, int count, double size = 1)
    {
        var numbers = new float[count];
        for (int i = 0; i < count; i++)
        {
            numbers[i] = (float)(size * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return numbers;
    }

    /// <summary>Root of the mean square of the difference, relative to the expected values.</summary>
    public static double RelativeError(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0;
        double whole = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            error += (expected[i] - actual[i]) * (expected[i] - actual[i]);
            whole += expected[i] * expected[i];
        }

        return Math.Sqrt(error / whole);
    }
}

using System.CommandLine;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Espalier.Benchmarks.Declared;
using Espalier.Benchmarks.Decoders;
using Espalier.Benchmarks.Measuring;
using Espalier.Graphs;
using Espalier.Graphs.Formats;
using Espalier.OnnxRuntime;
using Espalier.Planning;

namespace Espalier.Benchmarks.Comparisons;

/// <summary><c>roof</c>: what the machine can do at most, measured by itself, and the share of it that the dense decoder reaches.</summary>
internal static class RoofComparison
{
    private const int Rows = 600;
    private const int Square = 2048;
    private const int DecodeSteps = 8;
    private const long BufferBytes = 512L << 20;

    public static Command CreateCommand() => BenchmarkCommand.Create(
        "roof",
        $"Products of ONNX Runtime in each format, {Rows} rows by the shape of the model's widest layer and {Square} x {Square} x {Square}, and memory bandwidth; beside them a dense prefill of {Rows} rows and decode steps behind it, in the precision of --precision.",
        defaultRounds: 7,
        Measure);

    private static void Measure(BenchmarkRun run)
    {
        ReductionPlan plan = Suite.For(run.Checkpoint).Dense.Plan;
        TextGeometry text = plan.Geometry.Text;
        int rows = Math.Min(Rows, text.MaxPositions - DecodeSteps - 1);
        int square = Math.Min(Square, 4 * text.Intermediate);
        LinearFormat[] formats = [.. ((Precision[])[Precision.Float32, Precision.Int8, Precision.Int4]).Select(static precision => PrecisionFormats.For(precision, Device.Cpu.Provider).Decoder)];
        SessionCache cache = run.Checkpoint.ShareSessions();
        var products = new List<Product>();
        using NativeBuffer source = NativeBuffer.Allocate((nuint)Math.Min(BufferBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8));
        using NativeBuffer target = NativeBuffer.Allocate(source.ByteLength);
        try
        {
            foreach (LinearFormat format in formats)
            {
                products.Add(new Product(format, rows, text.Hidden, text.Intermediate));
                products.Add(new Product(format, square, square, square));
            }

            var sessions = new ModelSessions(cache, plan, run.Options);
            using var decoder = new LayeredDecoder(sessions, plan, new EmbeddingTable(run.Checkpoint), rows + DecodeSteps);
            int[] tokens = RandomInputs.Tokens(plan.Geometry, rows);
            decoder.Prefill(tokens);
            int position = rows;
            Contender[] contenders =
            [
                new("memory, read", () => Memory.Read(source)),
                new("memory, copy", () => Memory.Copy(source, target)),
                .. products.Select(static product => new Contender(product.Name, product.Run)),
                new($"prefill, {rows} rows", decoder.RunLayers, () => decoder.LoadRows(tokens)),
                new($"decode behind {rows}", () => decoder.Decode(tokens[0], position++), () => { decoder.Prefill(tokens); position = rows; }, DecodeSteps),
            ];
            Tabulate(run, plan, rows, products, source.ByteLength, run.Measure(contenders));
        }
        finally
        {
            products.ForEach(static product => product.Dispose());
            cache.Release();
        }
    }

    private static void Tabulate(BenchmarkRun run, ReductionPlan plan, int rows, List<Product> products, nuint bytes, Measurement[] measurements)
    {
        TextGeometry text = plan.Geometry.Text;
        var table = new MarkdownTable("what", "ms", "minimum", "CPU ms", "GFLOP/s", "GB/s", "of the roof");
        double read = bytes / measurements[0].WallSpread.Minimum / 1e6;
        Add(measurements[0], gigaflops: null, bytes);
        Add(measurements[1], gigaflops: null, 2.0 * bytes);
        for (int i = 0; i < products.Count; i++)
        {
            Add(measurements[2 + i], products[i].Flops, bytes: null);
        }

        // The better of the two shapes is what a product of this format can do here. By minima: a roof is the best that was seen.
        double best = Best(run.Formats.Decoder);
        double exact = Best(products[0].Format);
        double weights = 2.0 * rows * text.Layers * (((long)text.Hidden * ((2L * text.QueryWidth) + (2L * text.KeyValueWidth))) + (3L * text.Hidden * text.Intermediate));
        double attention = 4.0 * text.Layers * text.QueryWidth * rows * (rows + 1) / 2;
        double prefillRoof = (weights / best) + (attention / exact);
        Add(measurements[^2], weights + attention, bytes: null, prefillRoof / measurements[^2].WallSpread.Minimum);

        double streamed = DecodeBytes(run, plan) + (2.0 * sizeof(float) * text.Layers * text.KeyValueWidth * rows);
        Add(measurements[^1], gigaflops: null, streamed, streamed / 1e6 / read / measurements[^1].WallSpread.Minimum);
        run.Report.Add(table);
        run.Report.Say($"The roof of the prefill is its products with weights at the best rate of their format and its causal attention at the best rate of single precision; that of a decode step is {Sizes.Of((long)streamed)} of weights and KV rows at the rate of reading. Shares are of minima.");

        void Add(Measurement measurement, double? gigaflops, double? bytes, double? share = null) => table.Add(
            measurement.Name,
            Numbers.Times(measurement.WallSpread),
            Numbers.Time(measurement.WallSpread.Minimum),
            Numbers.Time(measurement.CpuSpread.Median),
            gigaflops is { } operations ? $"{operations / measurement.WallSpread.Median / 1e6:F0}" : "",
            bytes is { } moved ? $"{moved / measurement.WallSpread.Median / 1e6:F1}" : "",
            share is { } part ? Numbers.Percent(part) : "");

        double Best(LinearFormat format) => products.Index().Where(product => product.Item.Format == format).Max(product => product.Item.Flops / measurements[2 + product.Index].WallSpread.Minimum);
    }

    /// <summary>Bytes of weights that a decode step reads: layers and head, without what it looks up.</summary>
    private static double DecodeBytes(BenchmarkRun run, ReductionPlan plan)
    {
        IEnumerable<SessionKey> keys = Enumerable.Range(0, plan.Layers).Select(layer => new SessionKey(run.Options.Device.Provider, ModelPart.DecoderLayer, run.Formats.Decode, layer))
            .Append(new SessionKey(run.Options.Device.Provider, ModelPart.Head, run.Formats.Decode));
        return keys.Sum(key => PartGraphs.Build(run.Checkpoint, key).Weights.Where(static use => use.Name is not (DerivedWeights.RopeCos or DerivedWeights.RopeSin)).Sum(static use => (double)use.ByteCount));
    }

    /// <summary>One linear layer of a format over random numbers.</summary>
    private sealed class Product : IDisposable
    {
        private readonly List<OrtValue> _values = [];
        private readonly OrtSession _session;
        private readonly OrtBinding _binding;

        public Product(LinearFormat format, int rows, int inputs, int outputs)
        {
            Format = format;
            Name = $"product, {(format as QuantisedFormat)?.Name ?? "fp32"}, {rows} x {inputs} x {outputs}";
            Flops = 2.0 * rows * inputs * outputs;
            var graph = new GraphBuilder("product");
            string x = graph.Input(GraphNames.X, OrtElementType.Float, 1, "n", inputs);
            graph.Output(GraphNames.Y, format.Linear(graph, "product", x, "weight", bias: null, inputs, outputs), OrtElementType.Float, 1, "n", outputs);
            GraphModel model = graph.Build();
            using OrtSessionOptions options = OrtSessionOptions.Create();
            var random = new Random(1);
            foreach (WeightUse use in model.Weights)
            {
                OrtValue weight = Keep(OrtValue.Allocate(use.Shape, use.Type));
                if (use.Type == OrtElementType.Float)
                {
                    Fill(weight.AsSpan<float>(), random);
                }
                else
                {
                    random.NextBytes(weight.AsSpan<byte>());
                }

                options.AddExternalInitializer(use.Name, weight);
            }

            _session = OrtSession.Create(model.Bytes, options);
            OrtValue input = Keep(OrtValue.Allocate([1, rows, inputs], OrtElementType.Float));
            Fill(input.AsSpan<float>(), random);
            _binding = OrtBinding.Create(_session);
            _binding.BindInput("x\0"u8, input);
            _binding.BindOutput("y\0"u8, Keep(OrtValue.Allocate([1, rows, outputs], OrtElementType.Float)));
        }

        public LinearFormat Format { get; }

        public string Name { get; }

        public double Flops { get; }

        public void Run() => _session.Run(_binding);

        public void Dispose()
        {
            _binding.Dispose();
            _session.Dispose();
            _values.ForEach(static value => value.Dispose());
        }

        private OrtValue Keep(OrtValue value)
        {
            _values.Add(value);
            return value;
        }

        private static void Fill(Span<float> numbers, Random random)
        {
            foreach (ref float number in numbers)
            {
                number = random.NextSingle() - 0.5f;
            }
        }
    }

    /// <summary>Streams through memory with as many threads as ONNX Runtime has.</summary>
    private static class Memory
    {
        private const int Piece = 1 << 20;

        private static float _sum;

        public static void Read(NativeBuffer source) => Each(source, start => _sum += Read(source.Slice<float>(start, Piece)));

        public static void Copy(NativeBuffer source, NativeBuffer target) => Each(source, start => source.Slice<float>(start, Piece).CopyTo(target.Slice<float>(start, Piece)));

        // From several places at once, as kernels read the columns of a matrix: one after the other, a core waits for each line.
        private static float Read(ReadOnlySpan<float> piece)
        {
            const int Places = 8;
            int length = piece.Length / Places;
            ref float first = ref MemoryMarshal.GetReference(piece);
            Vector512<float> one = default;
            Vector512<float> two = default;
            Vector512<float> three = default;
            Vector512<float> four = default;
            for (int i = 0; i + Vector512<float>.Count <= length; i += Vector512<float>.Count)
            {
                one += Vector512.LoadUnsafe(ref first, (nuint)i) + Vector512.LoadUnsafe(ref first, (nuint)(length + i));
                two += Vector512.LoadUnsafe(ref first, (nuint)((2 * length) + i)) + Vector512.LoadUnsafe(ref first, (nuint)((3 * length) + i));
                three += Vector512.LoadUnsafe(ref first, (nuint)((4 * length) + i)) + Vector512.LoadUnsafe(ref first, (nuint)((5 * length) + i));
                four += Vector512.LoadUnsafe(ref first, (nuint)((6 * length) + i)) + Vector512.LoadUnsafe(ref first, (nuint)((7 * length) + i));
            }

            return Vector512.Sum(one + two + three + four);
        }

        private static void Each(NativeBuffer buffer, Action<long> run)
        {
            int threads = OrtEnvironment.Shared.Threads;
            long pieces = (long)buffer.ByteLength / sizeof(float) / Piece;
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread =>
            {
                for (long piece = thread * pieces / threads; piece < (thread + 1) * pieces / threads; piece++)
                {
                    run(piece * Piece);
                }
            });
        }
    }
}
